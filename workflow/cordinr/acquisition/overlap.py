"""How the fields of view of scans overlap."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..imaging.grid import Grid
from .view import View


def coverage(views: Sequence[View], grid: Grid) -> np.ndarray:
    """Voxels of a grid whose centres lie within the field of view of every view; bool array."""
    covered = np.ones(grid.size, bool)
    for block, centres in grid.blocks():
        for view in views:
            covered[block] &= _within(centres, view.volume.grid)
    return covered.reshape(grid.shape)


def check_overlap(views: Sequence[View]) -> None:
    """Refuse views that show different places.

    Raises:
        InputError: no voxel of the first view lies within all others.
    """
    if not coverage(views, views[0].volume.grid).any():
        names = " and ".join(view.name for view in views)
        raise InputError(
            f"{names}: the views do not overlap in space; give views of one subject and session."
        )


def common_grid(views: Sequence[View], voxel_mm: float | None = None) -> Grid:
    """An isotropic grid over what all views show, along the axes of the first view.

    Of views that are oblique to the first, the bounding box along its axes counts.

    Args:
        views: that overlap.
        voxel_mm: voxel size; by default the finest voxel size of the views.

    Raises:
        InputError: the views do not overlap.
    """
    check_overlap(views)
    first = views[0].volume.grid
    spans = [first.index(view.volume.grid.corners) for view in views]
    low = np.max([span.min(axis=0) for span in spans], axis=0)
    high = np.min([span.max(axis=0) for span in spans], axis=0)
    if voxel_mm is None:
        voxel_mm = float(min(view.volume.grid.voxel_sizes.min() for view in views))
    extent = (high - low) * first.voxel_sizes
    centre = first.world((low + high) / 2)
    return Grid.isotropic(centre, first.directions, extent, voxel_mm, "down", first.space)


def limits_of(views: Sequence[View]) -> tuple[Grid, ...]:
    """The grids of the views if any view was cropped, else nothing; see `FitDomain.limits`.

    Without these limits a reconstruction would extend into the padding that was cut off.
    """
    return tuple(view.volume.grid for view in views if any(each.cropped for each in views))


def within_any(world: np.ndarray, grids: Sequence[Grid]) -> np.ndarray:
    """Which positions (..., 3) in world mm lie within one of the fields of view, bool (...)."""
    return np.any([_within(world, grid) for grid in grids], axis=0)


def _within(world: np.ndarray, grid: Grid) -> np.ndarray:
    return grid.contains(grid.index(world))
