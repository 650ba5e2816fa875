"""Segmentations, brought to the grid of their image."""

import logging
from pathlib import Path

import numpy as np

from ..errors import InputError
from .grid import Grid
from .resampling import resample_nearest
from .volume import Volume, load_unchecked

log = logging.getLogger(__name__)


def load_segmentation(path: Path | str) -> Volume:
    """A segmentation as it is stored; unlike an image it may hold one value only.

    Raises:
        InputError: as `load_grid`, or a truncated file.
    """
    return load_unchecked(path)


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
