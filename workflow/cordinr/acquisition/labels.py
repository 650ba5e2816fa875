"""Segmentations carried between stacks of thick slices and isotropic grids, label by label."""

import numpy as np

from ..imaging.grid import Grid
from ..imaging.resampling import TIE_TOLERANCE
from ..imaging.volume import Volume
from .profile import SliceProfile
from .shape_interpolation import between_slices, labelled_box
from .slice_geometry import coarsest_axis

POINTS_PER_VOXEL = 2
"""Sample points per edge of the smallest voxel of a segmentation at which the voxels of the other
grid are looked at."""

CENTRE_WEIGHT = 1e-6
"""Weight of the centre of a voxel beside its sample points, whose weights sum to one: where two
labels fill the same part of it, the one at its centre wins."""

POINTS_PER_BLOCK = 1 << 22
"""Number of sample points that are held in memory at a time."""


def carry_labels(
    segmentation: Volume,
    grid: Grid,
    slices: tuple[int, SliceProfile] | None,
    to_segmentation: np.ndarray,
) -> np.ndarray:
    """Carry a segmentation to another grid: a voxel gets the label that fills most of it.

    A segmentation of thick slices is first interpolated by `between_slices`. Then each voxel is
    sampled over its edges and, if it belongs to a slice, over the slice profile, as in the forward
    model; the background counts as a label.

    Args:
        segmentation: whole numbers, 0 for the background; thick slices are known by the voxels.
        grid: of the result.
        slices: array axis across the slices of `grid`, and their profile; None for no slices.
        to_segmentation: (4, 4) world mm of `grid` to world mm of the segmentation.

    Returns:
        Array of shape `grid.shape` and the segmentation's type; 0 beyond its field of view.
    """
    true = Grid(grid.shape, to_segmentation @ grid.affine)
    if segmentation.grid.matches(true):
        return segmentation.array.copy()
    result = np.zeros(grid.shape, segmentation.array.dtype)
    values = np.unique(segmentation.array)
    values = values[values != 0]
    if not values.size:
        return result
    step = float(segmentation.grid.voxel_sizes.min()) / POINTS_PER_VOXEL
    numbered = Volume(_numbers(segmentation.array, values), segmentation.grid)
    axis = coarsest_axis(segmentation.grid.voxel_sizes)
    fine = numbered if axis is None else between_slices(numbered, axis)
    offsets, weights = sample_points(grid, slices, step)
    offsets, weights = np.vstack([np.zeros(3), offsets]), np.append(CENTRE_WEIGHT, weights)
    low, high = _reach(fine, grid, offsets, to_segmentation)
    if (high <= low).any():
        return result
    points = fine.grid.index(_move(to_segmentation, offsets))
    shifts = points - points[0]
    part = grid.cropped(low, high - low)
    found = np.empty(part.size, fine.array.dtype)
    for block, centres in part.blocks(max(1, POINTS_PER_BLOCK // len(weights))):
        index = fine.grid.index(_move(to_segmentation, centres))
        at_points = np.stack([_look_up(fine.array, index + shift) for shift in shifts])
        found[block] = most_filled(at_points, weights)
    result[tuple(map(slice, low, high))] = (
        np.concatenate([[0], values]).astype(result.dtype)[found].reshape(part.shape)
    )
    return result


def fraction_inside(segmentation: Volume, grid: Grid, to_segmentation: np.ndarray) -> float:
    """Return which fraction of the labelled voxels has its centre in the field of view of a grid.

    Args:
        segmentation: with at least one label.
        grid: to which it is carried.
        to_segmentation: (4, 4) world mm of `grid` to world mm of the segmentation.
    """
    back = np.linalg.inv(to_segmentation)
    labelled = segmentation.array.ravel() != 0
    inside = 0
    for block, centres in segmentation.grid.blocks():
        index = grid.index(_move(back, centres[labelled[block]]))
        inside += int(np.count_nonzero(grid.contains(index)))
    return inside / int(np.count_nonzero(labelled))


def sample_points(
    grid: Grid, slices: tuple[int, SliceProfile] | None, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Points that represent a voxel: over its edges and, across a slice, over the slice profile.

    Args:
        grid: of the voxel.
        slices: array axis across the slices of `grid`, and their profile; None for no slices.
        step: largest distance between points, mm.

    Returns:
        Offsets from the centre in world mm, (n, 3), and weights that sum to one, (n,).
    """
    offsets, weights = np.zeros((1, 3)), np.ones(1)
    for axis, size in enumerate(grid.voxel_sizes):
        across = slices is not None and axis == slices[0]
        profile = slices[1] if slices and across else SliceProfile("box", float(size))
        along, share = profile.samples(max(1, int(np.ceil(profile.extent / step - 1e-6))))
        offsets = (offsets[:, None] + along[:, None] * grid.directions[:, axis]).reshape(-1, 3)
        weights = np.outer(weights, share).ravel()
    return offsets, weights


def most_filled(labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The label with the largest weight in each voxel; the smallest label of several such.

    Args:
        labels: (n, voxels) unsigned: those at the sample points.
        weights: (n,) of the points.

    Returns:
        Array (voxels,) of the same type.
    """
    winner = labels[0].copy()
    mixed = np.flatnonzero((labels != labels[0]).any(axis=0))
    if not mixed.size:
        return winner
    count = int(labels.max()) + 1
    keys = np.arange(mixed.size) * count + labels[:, mixed]
    pairs, which = np.unique(keys, return_inverse=True)
    weight = np.repeat(weights, mixed.size)
    filled = np.bincount(which.ravel(), weight).round(9)
    voxels, candidates = np.divmod(pairs, count)
    order = np.lexsort((candidates, -filled, voxels))
    _, first = np.unique(voxels[order], return_index=True)
    winner[mixed] = candidates[order][first]
    return winner


def _numbers(array: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The labels of an array numbered from 1 on in the order of `values`; 0 for the background."""
    dtype = np.min_scalar_type(len(values))
    numbers = np.zeros(array.shape, dtype)
    labelled = array != 0
    numbers[labelled] = np.searchsorted(values, array[labelled]) + 1
    return numbers


def _reach(
    fine: Volume, grid: Grid, offsets: np.ndarray, to_segmentation: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The first voxels (3,) of a grid that may show a label, and those after the last one."""
    first, last = labelled_box(fine.array)
    box = fine.grid.cropped(first, last - first)
    corners = grid.index(_move(np.linalg.inv(to_segmentation), box.corners))
    extra = np.abs(grid.index(offsets) - grid.index(np.zeros(3))).max(axis=0) + 1e-3
    low = np.floor(corners.min(axis=0) - extra).astype(int)
    high = np.ceil(corners.max(axis=0) + extra).astype(int) + 1
    return np.clip(low, 0, grid.shape), np.clip(high, 0, grid.shape)


def _look_up(array: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The values (n,) of the voxels at fractional indices (n, 3); 0 beyond the array."""
    voxel = np.floor(index + (0.5 + TIE_TOLERANCE)).astype(np.intp)
    inside = ((voxel >= 0) & (voxel < array.shape)).all(axis=1)
    values = np.zeros(len(index), array.dtype)
    values[inside] = array[tuple(voxel[inside].T)]
    return values


def _move(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (..., 3) moved by a matrix (4, 4)."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]
