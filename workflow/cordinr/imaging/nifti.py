"""NIfTI headers, which are checked before anything in them is used."""

import gzip
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np

from ..errors import InputError, first_line, is_out_of_memory

log = logging.getLogger(__name__)

SCANNER, ALIGNED = 1, 2
"""NIfTI's codes of world spaces: that of the scanner, and that of some other file, which stands for
an image that names none."""

SPACES = range(1, 6)
"""NIfTI's codes of known world spaces; nibabel takes any other code for 0, unknown."""

FORMS_TOLERANCE_MM = 0.1
"""Distance in mm at a corner of the field of view above which qform and sform disagree."""

SPACINGS_TOLERANCE = 0.02
"""Relative difference between the voxel sizes of a header's forms that rounding may explain."""

VOXEL_LIMITS_MM = (1e-3, 100.0)
"""Smallest and largest plausible voxel size in mm; beyond them the size or its unit is wrong."""

SMALLEST_VOXEL_MM = 0.01
"""Voxel size in mm below which a header that says micrometres means millimetres."""

FARTHEST_MM = 1e5
"""Largest distance in mm of a voxel from the world's origin; float32 resolves 0.01 mm there."""

DEFLATE_RATIO = 1032
"""Largest number of bytes that one compressed byte can expand to (zlib's technical notes)."""

MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres per unit, by the code of the unit: unknown (taken as mm), metre, mm, micrometre."""

CHUNK = 1 << 20
"""Number of bytes read at a time; more than headers and their extensions have."""

CLASSES = {b"n+1\0": nib.Nifti1Image, b"n+2\0": nib.Nifti2Image}
"""Image classes of nibabel, by the signature of the file."""


def open_image(path: Path) -> nib.Nifti1Image:
    """A NIfTI image whose header was checked: 3D, real numbers, and no more than the file holds.

    Raises:
        InputError: the header is damaged, or says something that cannot be or is not supported.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise InputError(f"{path}: is not named .nii or .nii.gz; convert it to NIfTI first.")
    try:
        with nib.openers.ImageOpener(str(path)) as stream:
            start = stream.read(540)
        image_class = _class_of(start)
        header = image_class.header_class(start[: image_class.header_class.sizeof_hdr], check=False)
        _check(header, path)
        # `affine_mm` finds what is not finite, and what nibabel repairs is checked here.
        with np.errstate(all="ignore"), _nibabel_muted():
            image = image_class.from_filename(path)
        # nibabel has replaced voxel sizes of 0, which say nothing, by 1.
        image.header["pixdim"][1:4] = header["pixdim"][1:4]
    except InputError:
        raise
    except Exception as error:  # of nibabel, zlib or NumPy, in a file that is not an image
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"{path}: is not a readable NIfTI image ({first_line(error)}); replace the file."
        ) from error
    return image


@contextmanager
def _nibabel_muted() -> Iterator[None]:
    """Keep nibabel from logging what it repairs in a header, and restore its logger afterwards."""
    logger = logging.getLogger("nibabel.global")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def affine_mm(image: nib.Nifti1Image, path: Path) -> tuple[np.ndarray, int]:
    """The affine of an image in millimetres, whatever its unit, and the code of its world.

    The sform is taken, as by most tools; where it is unusable (zeros, singular, not finite), the
    qform.

    Returns:
        (4, 4) float64, array index to world mm, and NIfTI's code of the world space.

    Raises:
        InputError: neither form is usable, the voxels are far too small or large, or the sform and
            the header's `pixdim` give different voxel sizes.
    """
    header = image.header
    unit = _unit(header)
    if unit not in MM_PER_UNIT:
        raise InputError(f"{path}: its header has an unknown unit of length; set it to mm.")
    affine, space = _in_mm(image.affine, unit), space_of(image)
    problem = affine_problem(affine, image.shape[:3])
    if problem and header["sform_code"] and int(header["qform_code"]) in SPACES:
        qform = _in_mm(_qform(header), unit)
        if affine_problem(qform, image.shape[:3]) is None:
            log.warning("%s: of its sform, %s; taking the qform.", path, problem)
            return qform, int(header["qform_code"])
    if problem:
        raise InputError(f"{path}: {problem}; repair its header.")
    _check_spacings(header, image.affine, path)
    _note_forms(image, path)
    if MM_PER_UNIT[unit] != 1:
        log.warning(f"{path}: its header is in {nib.nifti1.unit_codes.label[unit]}s; taking mm.")
    return affine, space


def orientation_known(image: nib.Nifti1Image) -> bool:
    """Whether the header of an image says how it lies in the world."""
    return bool(image.header["sform_code"] or image.header["qform_code"])


def _in_mm(affine: np.ndarray, unit: int) -> np.ndarray:
    # In the precision of a header, so that a copy of the image has exactly the same grid.
    affine = np.array(affine, np.float32).astype(float)
    affine[:3] *= MM_PER_UNIT[unit]
    return affine


def _qform(header: nib.Nifti1Header) -> np.ndarray:
    """The qform; NaN where its quaternion or voxel sizes are invalid."""
    try:
        with np.errstate(all="ignore"):
            return header.get_qform()
    except (ValueError, nib.spatialimages.HeaderDataError):
        return np.full((4, 4), np.nan)


def _check_spacings(header: nib.Nifti1Header, affine: np.ndarray, path: Path) -> None:
    """Refuse a header whose sform has other voxel sizes than `pixdim` and thus the qform.

    The true size of the image is unknown then. Invalid voxel sizes in `pixdim` are ignored.
    """
    stated = np.abs(np.array(header["pixdim"][1:4], float))
    if not header["sform_code"] or not (np.isfinite(stated).all() and stated.all()):
        return
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    if (np.abs(sizes / stated - 1) > SPACINGS_TOLERANCE).any():
        one, other = (" x ".join(f"{mm:.4g}" for mm in each) for each in (sizes, stated))
        raise InputError(
            f"{path}: its header has voxels of {one} by the sform but of {other} by pixdim and "
            "qform; set both to what was measured."
        )


def affine_problem(affine: np.ndarray, shape: tuple[int, ...]) -> str | None:
    """What is wrong with an affine in mm for an image of this shape; None for nothing."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        return "its affine is singular or not finite"
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    low, high = SMALLEST_VOXEL_MM, VOXEL_LIMITS_MM[1]
    if (sizes > high).any() or ((sizes < low).any() and sizes.all()):
        return f"its voxels are {' x '.join(f'{mm:.3g}' for mm in sizes)} mm"
    if not sizes.all() or abs(np.linalg.det(affine[:3, :3] / sizes)) < 1e-3:
        return "its affine is singular or not finite"
    reach = np.abs(affine[:3, 3]) + np.abs(affine[:3, :3]) @ np.array(shape)
    if (reach > FARTHEST_MM).any():
        return f"its voxels are up to {reach.max() / 1000:.3g} m from the origin"
    return None


def check_whole(path: Path, voxel_bytes: int) -> None:
    """Read a compressed file to its checksum at the end; nibabel stops at the last voxel.

    Args:
        path: of the image.
        voxel_bytes: size of its voxels; bytes beyond two chunks after them are not read.

    Raises:
        OSError: the file is damaged.
        EOFError: it is truncated.
        zlib.error: its compressed data are damaged.
    """
    if not path.name.lower().endswith(".gz"):
        return
    left = voxel_bytes + 2 * CHUNK
    with gzip.open(path) as stream:
        while left > 0 and (chunk := stream.read(CHUNK)):
            left -= len(chunk)


def space_of(image: nib.Nifti1Image) -> int:
    """The code of the world space that the affine of an image maps to."""
    header = image.header
    return int(header["sform_code"]) or int(header["qform_code"]) or ALIGNED


def _class_of(start: bytes) -> type[nib.Nifti1Image]:
    """The image class, by the signature of NIfTI-1 or NIfTI-2."""
    for magic in (start[344:348], start[4:8]):
        if magic in CLASSES:
            return CLASSES[magic]
    if start[344:348] == b"ni1\0" or start[4:8] == b"ni2\0":
        raise ValueError("the header of a .hdr and .img pair")
    raise ValueError("no NIfTI signature" if start else "an empty file")


def _check(header: nib.Nifti1Header, path: Path) -> None:
    """Refuse, before anything is allocated, an image that cannot be read or is not supported."""
    ndim = int(header["dim"][0])
    shape = tuple(int(n) for n in header["dim"][1 : ndim + 1])
    if not 1 <= ndim <= 7:
        raise InputError(f"{path}: its header gives no valid number of dimensions; replace it.")
    if min(shape) < 1:
        raise InputError(f"{path}: its header gives no valid shape {shape}; replace the file.")
    if ndim < 3 or any(n > 1 for n in shape[3:]):
        raise InputError(f"{path}: has {ndim} dimensions {shape}; give a 3D image.")
    code = int(header["datatype"])
    if code not in nib.nifti1.data_type_codes.code:
        raise InputError(f"{path}: its header has an unknown data type {code}; replace the file.")
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf" or not dtype.itemsize:
        kind = nib.nifti1.data_type_codes.label[code]
        raise InputError(f"{path}: its voxels are of type {kind}; give an image of real numbers.")
    if int(header["sform_code"]) not in SPACES:
        sizes = [float(mm) for mm in header["pixdim"][1:4]]
        if not all(math.isfinite(mm) and mm > 0 for mm in sizes):
            stated = " x ".join(f"{mm:g}" for mm in sizes)
            raise InputError(f"{path}: its header gives voxels of {stated}; repair its header.")
    begin, least = float(header["vox_offset"]), header.single_vox_offset
    if not least <= begin < math.inf:
        raise InputError(
            f"{path}: its header puts the voxels at byte {begin:g}, before {least}; repair it."
        )
    promised = int(begin) + math.prod(shape) * dtype.itemsize
    held = path.stat().st_size * (DEFLATE_RATIO if path.name.lower().endswith(".gz") else 1)
    if promised > held:
        raise InputError(
            f"{path}: is truncated or damaged (its header promises {promised} bytes, the file can "
            f"hold {held}); fetch or copy it again."
        )


def _note_forms(image: nib.Nifti1Image, path: Path) -> None:
    """Log which affine is taken where the header leaves a choice."""
    header = image.header
    if not header["sform_code"] and not header["qform_code"]:
        log.warning(
            f"{path}: its header gives no orientation (qform and sform code 0); taking axes "
            f"{''.join(nib.aff2axcodes(image.affine))} from the middle of the image."
        )
    elif header["sform_code"] and header["qform_code"]:
        sizes = np.array(header["pixdim"][1:4], float)
        if not (np.isfinite(sizes).all() and (sizes > 0).all()):
            stated = " x ".join(f"{mm:g}" for mm in sizes)
            log.warning(
                f"{path}: its pixdim is {stated}, so that it has no qform; taking the sform."
            )
            return
        apart = apart_mm(_qform(header), image.affine, image.shape[:3])
        apart *= MM_PER_UNIT.get(_unit(header), 1)
        if not apart <= FORMS_TOLERANCE_MM:
            log.warning(
                f"{path}: its qform and sform disagree by {apart:.3g} mm at a corner; taking the "
                "sform."
            )


def _unit(header: nib.Nifti1Header) -> int:
    """The code of the unit of length, in the lowest three bits; the others are for time."""
    return int(header["xyzt_units"]) & 7


def apart_mm(one: np.ndarray, other: np.ndarray, shape: tuple[int, ...]) -> float:
    """The largest distance in mm between where two affines put a corner of an image."""
    corners = np.stack(np.meshgrid(*((-0.5, n - 0.5) for n in shape), [1.0]), -1).reshape(-1, 4)
    return float(np.linalg.norm(corners @ (one - other).T, axis=1).max())
