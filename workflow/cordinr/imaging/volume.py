"""Images as NIfTI files: loaded, checked and saved."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import DTypeLike

from ..errors import InputError, first_line, is_out_of_memory
from ..files import atomic, check_file
from .grid import Grid
from .nifti import affine_mm, check_whole, open_image, orientation_known
from .nifti_output import make_image

log = logging.getLogger(__name__)

MAX_HOLES = 0.5
"""Largest fraction of a reference that may be NaN or infinite, as it is around the field of view
after a resampling."""

SAME_EVERYWHERE = "every voxel has the same value; there is nothing to reconstruct."
"""What is wrong with a constant image, after its path."""


@dataclass(frozen=True, eq=False)
class Volume:
    """An image: array of shape `grid.shape`, float32 unless it holds labels, and its grid."""

    array: np.ndarray
    grid: Grid


def load_grid(path: Path | str) -> Grid:
    """The grid of a 3D NIfTI file, from its header alone.

    Raises:
        InputError: the file is missing, an unfetched annex pointer, not NIfTI, or not 3D.
    """
    return _open(Path(path))[1]


def has_orientation(path: Path | str) -> bool:
    """Whether the header of an image says how it lies in the world.

    Raises:
        InputError: as `load_grid`.
    """
    return orientation_known(_open(Path(path))[0])


def load_volume(path: Path | str) -> Volume:
    """A 3D NIfTI image, checked: complete, finite and not constant.

    Raises:
        InputError: as `load_grid`; also a truncated file, NaN or infinite voxels, one value only.
    """
    path = Path(path)
    volume = load_unchecked(path)
    if not np.isfinite(volume.array).all():
        bad = int((~np.isfinite(volume.array)).sum())
        raise InputError(f"{path}: {bad} voxels are NaN or infinite; repair or exclude this image.")
    if volume.array.min() == volume.array.max():
        raise InputError(f"{path}: {SAME_EVERYWHERE}")
    return volume


def load_scan(path: Path | str) -> Volume:
    """A 3D image as a scanner or a tool left it: some of its voxels may not be finite.

    Raises:
        InputError: as `load_grid`; also a truncated file, no finite voxel, one value only.
    """
    path = Path(path)
    volume = load_unchecked(path)
    finite = volume.array[np.isfinite(volume.array)]
    if not finite.size:
        raise InputError(
            f"{path}: {volume.array.size} voxels, which is all, are NaN or infinite; repair or "
            "exclude this image."
        )
    if finite.min() == finite.max():
        raise InputError(f"{path}: {SAME_EVERYWHERE}")
    return volume


def load_reference(path: Path | str) -> Volume:
    """An image to simulate views from; voxels that are not finite become 0, and it is logged.

    Raises:
        InputError: as `load_scan`, or more than half of the voxels are not finite.
    """
    volume = load_scan(path)
    holes = ~np.isfinite(volume.array)
    if holes.mean() > MAX_HOLES:
        raise InputError(
            f"{path}: {holes.sum()} of its {holes.size} voxels are NaN or infinite; repair or "
            "exclude this image."
        )
    if holes.any():
        log.warning(
            "%s: %d of its %d voxels are NaN or infinite and are taken as 0.",
            path,
            holes.sum(),
            holes.size,
        )
    return Volume(np.where(holes, np.float32(0), volume.array), volume.grid)


def save_volume(path: Path | str, array: np.ndarray, grid: Grid, dtype: str = "float32") -> None:
    """Write a NIfTI-1 image: whole or not at all, the same bytes for the same input.

    Args:
        path: of the file to write.
        array: shape `grid.shape`, original intensity units.
        grid: where its voxels are.
        dtype: type on disk; nothing is rescaled.
    """
    stored = np.asarray(array, dtype=dtype).reshape(grid.shape)
    image = make_image(stored, grid.affine, grid.space)
    with atomic(path) as partial:
        nib.save(image, partial)


def _open(path: Path) -> tuple[nib.Nifti1Image, Grid]:
    """An image and its grid, from its header alone."""
    check_file(path)
    image = open_image(path)
    affine, space = affine_mm(image, path)
    x, y, z = image.shape[:3]
    return image, Grid((x, y, z), affine, space)


def load_unchecked(path: Path | str, dtype: DTypeLike | None = np.float32) -> Volume:
    """A 3D NIfTI image as it is stored: complete, but its voxels may hold anything.

    Args:
        path: of the image.
        dtype: of its voxels; None for that of the file, or float64 where the file scales them.

    Raises:
        InputError: as `load_grid`, or a truncated file.
    """
    path = Path(path)
    image, grid = _open(path)
    try:
        check_whole(path, math.prod(grid.shape) * image.get_data_dtype().itemsize)
        with np.errstate(all="ignore"):  # what exceeds float32 becomes infinite, and is found
            array = np.asarray(image.dataobj, dtype=dtype).reshape(grid.shape)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"{path}: is truncated or damaged ({first_line(error)}); fetch or copy it again."
        ) from error
    return Volume(array, grid)
