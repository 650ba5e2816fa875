"""The forward model as a sparse matrix: from the voxels of a volume to those of a view.

The simulator, the loss of the INR and the classical methods all use this model, so that they cannot
disagree.
"""

from collections.abc import Sequence

import numpy as np
import scipy

from ..imaging.grid import Grid
from .profile import SliceProfile
from .view import View

MIN_PROFILE_INSIDE = 0.75
"""A slice counts where at least this part of its profile lies within the grid."""


OBLIQUE_BLOCK = 1 << 14
"""Slice voxels of an oblique view whose rows of the system matrix are made at a time."""


def system_matrix(view: View, grid: Grid) -> "scipy.sparse.csr_array":
    """The forward model as a matrix: voxels of `grid` (columns) to voxels of the view (rows).

    Rows sum to one; rows of slices that lie less than `MIN_PROFILE_INSIDE` within the grid are
    empty. Where the grids are parallel, a row holds the exact overlaps with the slice profile and,
    in the plane, with a box of the view's own voxel size; where they are oblique, samples of the
    profile, interpolated linearly.

    Args:
        view: only its geometry and profile are read, not its voxels.
        grid: of the volume to be sliced.

    Returns:
        float32 of shape (view voxels, grid voxels), both in C order.
    """
    turn = np.linalg.solve(grid.directions, view.volume.grid.directions).T
    partner = np.abs(turn).argmax(axis=1)
    parallel = np.allclose(np.abs(turn), np.eye(3)[partner], atol=1e-4)
    matrix = (
        _parallel_matrix(view, grid, partner) if parallel else _oblique_matrix(view, grid)
    ).tocsr()
    total = np.asarray(matrix.sum(axis=1)).ravel()
    keep = np.where(total >= MIN_PROFILE_INSIDE, 1 / np.maximum(total, MIN_PROFILE_INSIDE), 0)
    matrix.data = (matrix.data * np.repeat(keep, np.diff(matrix.indptr))).astype(np.float32)
    matrix.eliminate_zeros()
    return matrix


def _parallel_matrix(view: View, grid: Grid, partner: np.ndarray) -> "scipy.sparse.coo_array":
    """Kronecker product of three one-dimensional overlaps, columns put into the grid's order."""
    slices = view.volume.grid
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
    """Trilinear interpolation at samples of the profile, half a voxel apart or closer."""
    n = max(5, int(np.ceil(2 * view.profile.thickness / grid.voxel_sizes.min())))
    samples = list(zip(*view.offsets(n), strict=True))
    slices = view.volume.grid
    blocks = [_oblique_rows(centres, samples, grid) for _, centres in slices.blocks(OBLIQUE_BLOCK)]
    return scipy.sparse.vstack(blocks, format="csr")


def _oblique_rows(
    centres: np.ndarray, samples: Sequence[tuple[np.ndarray, float]], grid: Grid
) -> "scipy.sparse.csr_array":
    """The rows of slice voxels at `centres` (n, 3); samples are world offsets with weights."""
    rows, columns, values = [], [], []
    for offset, weight in samples:
        index = grid.index(centres + offset)
        floor = np.floor(index).astype(int)
        for corner in np.ndindex(2, 2, 2):
            voxel = floor + corner
            share = np.prod(1 - np.abs(index - voxel), axis=1) * weight
            use = ((voxel >= 0) & (voxel < grid.shape)).all(axis=1) & (share > 1e-7)
            rows.append(np.flatnonzero(use))
            columns.append(np.ravel_multi_index(voxel[use].T, grid.shape))
            values.append(share[use].astype(np.float32))
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return scipy.sparse.coo_array(entries, shape=(len(centres), grid.size)).tocsr()
