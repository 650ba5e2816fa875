"""The forward model as a sparse matrix: from the voxels of a volume to those of a view.

The simulator, the loss of the INR and the classical methods all use this model, so that they cannot
disagree.
"""

import math
from collections.abc import Sequence

import numpy as np
import scipy

from ..imaging.grid import EDGE_TOLERANCE, Grid
from .profile import SliceProfile
from .view import View

MIN_PROFILE_INSIDE = 0.75
"""A slice counts where at least this part of its profile lies within the grid."""

MIN_OVERLAP = 1e-2
"""Voxels by which a slice has to overlap a grid to be held by it."""

OBLIQUE_BLOCK = 1 << 14
"""Slice voxels of an oblique view whose rows of the system matrix are made at a time."""

COUNTED_ROWS = 1000
"""About how many rows of an oblique view are made, of each block, to count their entries."""


def system_matrix(view: View, grid: Grid) -> "scipy.sparse.csr_array":
    """The forward model as a matrix: voxels of `grid` (columns) to voxels of the view (rows).

    Rows sum to one; rows of slices that lie less than `MIN_PROFILE_INSIDE` within the grid are
    empty. Where the grids are parallel, a row holds the exact overlaps with the slice profile and,
    in the plane, with a box of the view's own voxel size; where they are oblique, samples of both,
    interpolated linearly.

    Args:
        view: only its geometry and profile are read, not its voxels.
        grid: of the volume to be sliced.

    Returns:
        float32 of shape (view voxels, grid voxels), both in C order.
    """
    partner = parallel_axes(view, grid)
    if partner is None:
        matrix = _oblique_matrix(view, grid)
    elif view.shifts is None:
        matrix = _parallel_matrix(view, view.volume.grid, grid, partner).tocsr()
    else:
        matrix = _slice_by_slice(view, grid, partner)
    total = np.asarray(matrix.sum(axis=1)).ravel()
    keep = np.where(total >= MIN_PROFILE_INSIDE, 1 / np.maximum(total, MIN_PROFILE_INSIDE), 0)
    matrix.data = (matrix.data * np.repeat(keep, np.diff(matrix.indptr))).astype(np.float32)
    matrix.eliminate_zeros()
    return matrix


def measured_rows(view: View, grid: Grid) -> tuple["scipy.sparse.csr_array", np.ndarray]:
    """The rows of the system matrix of voxels that were measured and that count.

    Returns:
        The rows, and of which voxels of the view they are, bool (view voxels,).
    """
    matrix = system_matrix(view, grid)
    seen = np.diff(matrix.indptr) > 0
    if view.measured is not None:
        seen &= view.measured.ravel()
    if view.trust is not None:
        seen &= view.voxel_trust.ravel() > 0
    return matrix[seen], seen


def with_whole_slices(views: Sequence[View], grid: Grid) -> tuple[Grid, tuple[slice, ...]]:
    """A grid with as many voxels around it as it takes to hold all slices that show some of it.

    Of a slice that reaches beyond a grid, the system matrix takes what is within for all of it, or
    leaves it out, which spoils an image near its edge.

    Args:
        views: whose measured voxels are to lie within the result, as far as slice profile and pixel
            reach, where the box around one of them overlaps the grid by more than `MIN_OVERLAP`.
        grid: any.

    Returns:
        The larger grid, and which part of an array on it lies on the one given.
    """
    turn = np.linalg.inv(grid.affine)[:3, :3]
    low, high = np.full(3, -0.5), np.array(grid.shape) - 0.5
    for view in views:
        edges = view.volume.grid.directions * view.volume.grid.voxel_sizes
        edges[:, view.axis] = view.normal * view.profile.extent
        reach = np.abs(turn @ edges).sum(axis=1) / 2
        for block, centres in view.blocks():
            if view.measured is not None:
                centres = centres[view.measured.reshape(-1)[block]]
            index = grid.index(centres)
            index = index[grid.contains(index, reach - MIN_OVERLAP)]
            if len(index):
                low = np.minimum(low, index.min(axis=0) - reach)
                high = np.maximum(high, index.max(axis=0) + reach)
    first = np.floor(low + 0.5 + EDGE_TOLERANCE).astype(int)
    last = np.ceil(high - 0.5 - EDGE_TOLERANCE).astype(int)
    part = tuple(
        slice(-start, count - start) for start, count in zip(first, grid.shape, strict=True)
    )
    return grid.cropped(first, last - first + 1), part


def count_entries(view: View, grid: Grid) -> float:
    """About how many numbers that are not zero the system matrix of a view has."""
    rows, some = 0, []
    for _, centres in view.blocks():
        inside = np.flatnonzero(grid.contains(grid.index(centres)))
        rows += len(inside)
        some.append(centres[inside[:: max(1, len(inside) // COUNTED_ROWS)]])
    partner = parallel_axes(view, grid)
    if partner is None:
        samples, reach = _samples(view, grid)
        counted = _oblique_rows(np.concatenate(some), samples, grid, reach)
        return rows * counted.nnz / max(1, counted.shape[0])
    sizes = view.volume.grid.voxel_sizes.copy()
    sizes[view.axis] = view.profile.extent
    return rows * float(np.prod(np.maximum(1, sizes / grid.voxel_sizes[partner])))


def parallel_axes(view: View, grid: Grid) -> np.ndarray | None:
    """(3,) the axis of a grid along each axis of a view; None where the grids are oblique."""
    turn = np.linalg.solve(grid.directions, view.volume.grid.directions).T
    partner = np.abs(turn).argmax(axis=1)
    return partner if np.allclose(np.abs(turn), np.eye(3)[partner], atol=1e-4) else None


def _slice_by_slice(view: View, grid: Grid, partner: np.ndarray) -> "scipy.sparse.csr_array":
    """The parallel matrix of slices that moved, each of which is still parallel to the grid."""
    count = view.volume.grid.shape[view.axis]
    single = [_parallel_matrix(view, view.slice_grid(k), grid, partner) for k in range(count)]
    voxels = np.arange(view.volume.grid.size).reshape(view.volume.grid.shape)
    by_slice = np.moveaxis(voxels, view.axis, 0).ravel()
    return scipy.sparse.vstack(single, format="csr")[np.argsort(by_slice)]


def _parallel_matrix(
    view: View, slices: Grid, grid: Grid, partner: np.ndarray
) -> "scipy.sparse.coo_array":
    """Kronecker product of three one-dimensional overlaps, columns put into the grid's order.

    Args:
        view: whose slice profile counts.
        slices: its grid, or that of one of its slices.
        grid: of the volume to be sliced.
        partner: as `parallel_axes` gives it.
    """
    first, *steps = grid.index(slices.world(np.vstack([np.zeros(3), np.eye(3)])))
    factors = []
    for axis, along in enumerate(partner):
        voxel = grid.voxel_sizes[along]
        step = (steps[axis] - first)[along]
        position = first[along] + step * np.arange(slices.shape[axis])
        distance = (np.arange(grid.shape[along]) - position[:, None]) * voxel
        in_plane = SliceProfile("box", slices.voxel_sizes[axis])
        profile = view.profile if axis == view.axis else in_plane
        weights = profile.voxel_weights(distance, voxel)
        factors.append(scipy.sparse.coo_array(np.where(weights > 1e-7, weights, 0)))
    product = scipy.sparse.kron(scipy.sparse.kron(factors[0], factors[1]), factors[2]).tocoo()
    voxels = np.arange(grid.size, dtype=product.col.dtype)
    order = voxels.reshape(grid.shape).transpose(partner).ravel()
    return scipy.sparse.coo_array(
        (product.data, (product.row, order[product.col])), shape=product.shape
    )


def _oblique_matrix(view: View, grid: Grid) -> "scipy.sparse.csr_array":
    """Trilinear interpolation at sample points of the voxels."""
    samples, reach = _samples(view, grid)
    blocks = [
        _oblique_rows(centres, samples, grid, reach) for _, centres in view.blocks(OBLIQUE_BLOCK)
    ]
    return scipy.sparse.vstack(blocks, format="csr")


def _samples(view: View, grid: Grid) -> tuple[list[tuple[np.ndarray, float]], float]:
    """Offsets and weights of `oblique_samples`, and the length in mm of the longest offset."""
    samples = list(zip(*oblique_samples(view, float(grid.voxel_sizes.max())), strict=True))
    return samples, max(float(np.linalg.norm(offset)) for offset, _ in samples)


def oblique_samples(view: View, voxel_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Points at which a volume is interpolated linearly to give a voxel of a view.

    They are about a voxel of the volume apart. Linear interpolation blurs as well, by a triangle of
    the variance `voxel_mm ** 2 / 6` along every axis; the points lie closer together for that, so
    that the sum has the variance of the slice profile and, in the plane, of the view's own voxel.

    Args:
        view: only its geometry and profile are read.
        voxel_mm: voxel size of the volume.

    Returns:
        World offsets (n, 3) in mm from the centre of the voxel, and weights (n,) that sum to one.
    """
    blur = voxel_mm**2 / 6
    along, weights = view.profile.samples(max(1, math.ceil(view.profile.extent / voxel_mm)))
    points = (along * _narrowing(along, weights, view.profile.variance - blur))[:, None]
    offsets = points * view.normal
    grid = view.volume.grid
    for axis in view.in_plane:
        pixel = SliceProfile("box", float(grid.voxel_sizes[axis]))
        # One point where the triangle alone is about as wide as the pixel.
        wide = pixel.variance > 1.5 * blur
        places, parts = pixel.samples(math.ceil(pixel.thickness / voxel_mm) if wide else 1)
        places = places * _narrowing(places, parts, pixel.variance - blur)
        offsets = (offsets[:, None] + places[:, None] * grid.directions[:, axis]).reshape(-1, 3)
        weights = (weights[:, None] * parts).ravel()
    return offsets, weights


def _narrowing(places: np.ndarray, weights: np.ndarray, variance: float) -> float:
    """Factor on the places that gives them, with their weights, this variance."""
    now = float(weights @ places**2)
    return math.sqrt(max(variance, 0.0) / now) if now > 0 else 1.0


def _oblique_rows(
    centres: np.ndarray,
    samples: Sequence[tuple[np.ndarray, float]],
    grid: Grid,
    reach: float,
) -> "scipy.sparse.csr_array":
    """The rows of slice voxels at `centres` (n, 3); samples are world offsets with weights.

    Voxels farther than `reach` mm and a voxel from the grid get empty rows.
    """
    near = np.flatnonzero(grid.contains(grid.index(centres), reach / grid.voxel_sizes + 1))
    kind = np.int32 if grid.size < np.iinfo(np.int32).max else np.int64
    rows, columns, values = [], [], []
    start, steps = grid.index(centres[near]), np.array(grid.shape)
    turn = np.linalg.inv(grid.affine)[:3, :3]
    for offset, weight in samples:
        index = start + turn @ offset
        floor = np.floor(index)
        part = index - floor
        floor = floor.astype(kind)
        sides = np.stack([1 - part, part])
        for corner in np.ndindex(2, 2, 2):
            voxel = floor + np.array(corner, kind)
            x, y, z = corner
            share = sides[x, :, 0] * sides[y, :, 1] * sides[z, :, 2] * weight
            use = ((voxel >= 0) & (voxel < steps)).all(axis=1) & (share > 1e-7)
            rows.append(near[use].astype(kind))
            x, y, z = voxel[use].T
            columns.append((x * kind(grid.shape[1]) + y) * kind(grid.shape[2]) + z)
            values.append(share[use].astype(np.float32))
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return scipy.sparse.coo_array(entries, shape=(len(centres), grid.size)).tocsr()
