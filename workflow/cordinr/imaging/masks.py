"""Segmentations, brought to the grid of their image."""

import logging
from pathlib import Path

import numpy as np

from ..errors import InputError
from .grid import Grid
from .resampling import resample_nearest
from .volume import Volume, load_unchecked

log = logging.getLogger(__name__)

LABEL_TYPES = [np.dtype(name) for name in ("u1", "i1", "i2", "u2", "i4", "u4")]
"""Types in which labels are stored, the most common ones first among those of one size."""


def load_segmentation(path: Path | str) -> Volume:
    """A segmentation as it is stored; unlike an image it may hold one value only.

    Raises:
        InputError: as `load_grid`, or a truncated file.
    """
    return load_unchecked(path)


def load_labels(path: Path | str) -> Volume:
    """A segmentation into labels: whole numbers, 0 for the background.

    Returns:
        The segmentation in the type of the file, if that is one of `LABEL_TYPES`; else in the first
        of them that holds its labels.

    Raises:
        InputError: as `load_grid`; also a truncated file, voxels that are not whole numbers or
            exceed 32 bits, or no label at all.
    """
    volume = load_unchecked(path, dtype=None)
    array = volume.array
    if array.dtype.kind == "f":
        odd = ~np.isfinite(array) | (array != np.rint(array))
        if odd.any():
            raise InputError(
                f"{path}: {odd.sum()} of its voxels are not whole numbers (such as "
                f"{array[odd][0]:g}); give a segmentation into labels, without interpolated values."
            )
    low, high = array.min(), array.max()
    if low == high == 0:
        raise InputError(f"{path}: is empty; give a segmentation with at least one label.")
    native = array.dtype.newbyteorder("=")
    types = [native] if native in LABEL_TYPES else LABEL_TYPES
    for dtype in types:
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return Volume(array.astype(dtype), volume.grid)
    raise InputError(f"{path}: has labels from {low:g} to {high:g}; give labels of up to 32 bits.")


def load_mask(path: Path | str, grid: Grid) -> np.ndarray:
    """A segmentation as a bool array of shape `grid.shape`; voxels above one half are inside.

    A segmentation on another grid is resampled to that of its image by the nearest voxel, through
    both affines, which is logged.

    Raises:
        InputError: as `load_grid`, or it is not a mask, or lies beside its image.
    """
    path = Path(path)
    mask = load_segmentation(path)
    low, high = float(mask.array.min()), float(mask.array.max())
    between = (mask.array > low) & (mask.array < high)
    # Soft masks reach from 0 to 1; other masks (0 and 255, say) may have two values.
    if not (low >= 0 and (high <= 1 or (high < np.inf and not between.any()))):
        raise InputError(
            f"{path}: is not a mask (values from {low:g} to {high:g}); give a segmentation of 0 "
            "and 1."
        )
    if mask.grid.matches(grid):
        return mask.array > 0.5
    inside = resample_nearest(mask, grid) > 0.5
    if not inside.any() and (mask.array > 0.5).any():
        raise InputError(f"{path}: lies beside its image; give a mask of the same place.")
    log.warning(
        "%s: is on another grid than its image (shape %s against %s, or another affine); it is "
        "resampled by the nearest voxel.",
        *(path, mask.grid.shape, grid.shape),
    )
    return inside
