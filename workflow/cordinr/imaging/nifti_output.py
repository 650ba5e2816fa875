"""NIfTI images that are written: their headers, as all viewers read them."""

import nibabel as nib
import numpy as np

from .nifti import FORMS_TOLERANCE_MM, apart_mm

DISPLAY_PERCENTILE = 99.5
"""Percentile of the intensities that viewers show as white at first."""


def make_image(array: np.ndarray, affine: np.ndarray, space: int) -> nib.Nifti1Image:
    """An image whose header all viewers read alike.

    The sform always holds the affine; the qform does unless the affine has shears.

    Args:
        array: 3D, in the type that goes to disk; nothing is scaled.
        affine: (4, 4), array index to world mm.
        space: NIfTI's code of that world.
    """
    image = nib.Nifti1Image(array, affine)
    image.set_sform(affine, code=space)
    image.set_qform(affine, code=space)
    header = image.header
    if apart_mm(header.get_qform(), affine, array.shape) > FORMS_TOLERANCE_MM:
        header["qform_code"] = 0
    header.set_xyzt_units("mm", "sec")
    white = float(np.percentile(array, DISPLAY_PERCENTILE)) or float(array.max())
    if white > 0:
        header["cal_min"], header["cal_max"] = 0, white
    return image
