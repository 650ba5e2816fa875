"""How bright an image is, and where in it the body is."""

import numpy as np
import scipy

FOREGROUND_FRACTION = 0.1
"""Threshold of the body in the smoothed image, as a fraction of R."""

FOREGROUND_SMOOTHING_MM = 2.0
"""Standard deviation of the Gaussian that smooths the image for the foreground, in mm."""


def intensity_range(image: np.ndarray) -> float:
    """Compute R, the peak of PSNR and SSIM: the 99.9th percentile of an image."""
    return float(np.percentile(image, 99.9))


def foreground(image: np.ndarray, voxel_sizes: np.ndarray) -> np.ndarray:
    """Segment the body, without the air around and inside it.

    Args:
        image: 3D.
        voxel_sizes: (3,) mm.

    Returns:
        A bool array like the image.
    """
    smooth = scipy.ndimage.gaussian_filter(
        image.astype(np.float32), FOREGROUND_SMOOTHING_MM / np.asarray(voxel_sizes)
    )
    return smooth > FOREGROUND_FRACTION * intensity_range(image)
