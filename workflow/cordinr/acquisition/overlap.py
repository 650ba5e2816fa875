"""How the fields of view of scans overlap, and which of them a reconstruction covers."""

import itertools
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from ..errors import InputError
from ..imaging.grid import EDGE_TOLERANCE, Grid
from .view import View

Field = Literal["crossed", "union", "overlap"]
"""What a reconstruction covers: where scans of at least two slice directions see, where any scan
sees, or where all scans see."""

ON_PIXELS = 1e-2
"""Voxels by which the pixels of a view may drift from those of a grid over its whole length."""


def regions_of(views: Sequence[View], field: Field = "crossed") -> list[tuple[View, ...]]:
    """The sets of views of which one is enough: a place is covered where all of a set see it.

    Args:
        views: at least one.
        field: what is covered. Of scans of one direction alone, "crossed" takes what any sees.

    Raises:
        InputError: the field is not known; the views, or one of them and those of other directions,
            do not overlap.
    """
    if field not in get_args(Field):
        raise InputError(f"field '{field}' is not known; use {', '.join(get_args(Field))}.")
    if field == "overlap" or len(views) == 1:
        _check(bool(coverage(views, views[0].volume.grid).any()), views)
        return [tuple(views)]
    pairs: list[tuple[View, ...]] = [
        (one, other)
        for one, other in itertools.combinations(views, 2)
        if not one.is_parallel_to(other) and _overlap(one, other)
    ]
    if field == "union" or all(one.is_parallel_to(views[0]) for one in views):
        return [(view,) for view in views]
    for view in views:
        if not any(view in pair for pair in pairs):
            others = [other for other in views if not view.is_parallel_to(other)]
            _check(False, [view, *others])
    return pairs


def coverage(views: Sequence[View], grid: Grid) -> np.ndarray:
    """Voxels of a grid whose centres lie within the field of view of every view; bool array."""
    covered = np.ones(grid.size, bool)
    for block, centres in grid.blocks():
        for view in views:
            covered[block] &= _within(centres, view.volume.grid)
    return covered.reshape(grid.shape)


def count_directions(views: Sequence[View], grid: Grid) -> np.ndarray:
    """How many slice directions see each voxel centre of a grid; uint8 of shape `grid.shape`."""
    directions: list[list[View]] = []
    for view in views:
        known = next((each for each in directions if view.is_parallel_to(each[0])), None)
        if known is None:
            directions.append([view])
        else:
            known.append(view)
    count = np.zeros(grid.size, np.uint8)
    for block, centres in grid.blocks():
        for parallel in directions:
            count[block] += within_any(centres, [view.volume.grid for view in parallel])
    return count.reshape(grid.shape)


def common_grid(
    views: Sequence[View], voxel_mm: float | None = None, field: Field = "crossed"
) -> Grid:
    """An isotropic grid over the covered field, along the axes of the first view.

    Of views that are oblique to the first, the bounding box along its axes counts. Where a view has
    pixels of the voxel size along an axis, the voxels lie on them, so that neither has to be
    interpolated from the other; else they lie about the middle of the field.

    Args:
        views: that overlap.
        voxel_mm: voxel size; by default the finest voxel size of the views.
        field: what is to be covered.

    Raises:
        InputError: as `regions_of`.
    """
    first = views[0].volume.grid
    lows, highs = [], []
    for region in regions_of(views, field):
        spans = [first.index(view.volume.grid.corners) for view in region]
        lows.append(np.max([span.min(axis=0) for span in spans], axis=0))
        highs.append(np.min([span.max(axis=0) for span in spans], axis=0))
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    if voxel_mm is None:
        voxel_mm = float(min(view.volume.grid.voxel_sizes.min() for view in views))
    extent = (high - low) * first.voxel_sizes
    centre = first.world((low + high) / 2)
    grid = Grid.isotropic(centre, first.directions, extent, voxel_mm, "down", first.space)
    return _on_pixels(grid, grid.index(first.world(low)), grid.index(first.world(high)), views)


def _on_pixels(grid: Grid, low: np.ndarray, high: np.ndarray, views: Sequence[View]) -> Grid:
    """A grid whose voxels lie on the pixels of views: all that are centred within an extent.

    Args:
        grid: isotropic, about where the result is to lie; kept along axes without such pixels.
        low: (3,) first end of the extent, as an index of the grid.
        high: (3,) last end, likewise.
        views: of which the first that has such pixels along an axis counts.
    """
    begin, shape = np.zeros(3), np.array(grid.shape)
    for axis in range(3):
        places = (_pixel_place(view, grid, axis) for view in views)
        place = next((each for each in places if each is not None), None)
        if place is None:
            continue
        first = place + np.ceil(low[axis] - place - EDGE_TOLERANCE)
        last = place + np.floor(high[axis] - place + EDGE_TOLERANCE)
        begin[axis], shape[axis] = first, max(1, round(last - first) + 1)
    return grid.cropped(begin, shape)


def _pixel_place(view: View, grid: Grid, axis: int) -> float | None:
    """Where the pixels of a view lie along an axis of a grid, if they follow its voxels.

    Args:
        view: whose voxels in the planes of its slices are meant.
        grid: with which they are compared.
        axis: array axis of the grid.

    Returns:
        Index of one pixel along the axis, or None where the pixels are of another size, or no axis
        of the slices runs along that of the grid.
    """
    if view.shifts is not None:
        return None
    turn = np.linalg.solve(grid.affine[:3, :3], view.volume.grid.affine[:3, :3])
    for own in view.in_plane:
        step = np.zeros(3)
        step[axis] = np.copysign(1.0, turn[axis, own])
        if (np.abs(turn[:, own] - step) * view.volume.grid.shape[own] <= ON_PIXELS).all():
            return float(grid.index(view.volume.grid.world(np.zeros(3)))[axis])
    return None


def limits_of(views: Sequence[View]) -> tuple[Grid, ...]:
    """The grids of the views if any view was cropped, else nothing; see `FitDomain.limits`.

    Without these limits a reconstruction would extend into the padding that was cut off.
    """
    return tuple(view.volume.grid for view in views if any(each.cropped for each in views))


def within_any(world: np.ndarray, grids: Sequence[Grid], margin_mm: float = 0.0) -> np.ndarray:
    """Which positions (..., 3) in world mm lie within one of the fields of view, bool (...)."""
    return np.any([_within(world, grid, margin_mm) for grid in grids], axis=0)


def within_all(world: np.ndarray, grids: Sequence[Grid], margin_mm: float = 0.0) -> np.ndarray:
    """Which positions (..., 3) in world mm lie within all of the fields of view, bool (...)."""
    return np.all([_within(world, grid, margin_mm) for grid in grids], axis=0)


def _within(world: np.ndarray, grid: Grid, margin_mm: float = 0.0) -> np.ndarray:
    return grid.contains(grid.index(world), margin_mm / grid.voxel_sizes)


def _overlap(one: View, other: View) -> bool:
    """Whether a voxel of the first view lies within the second."""
    return any(_within(centres, other.volume.grid).any() for _, centres in one.volume.grid.blocks())


def _check(overlap: bool, views: Sequence[View]) -> None:
    if not overlap:
        names = " and ".join(view.name for view in views)
        raise InputError(
            f"{names}: the views do not overlap in space; give views of one subject and session."
        )
