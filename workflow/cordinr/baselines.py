"""What any INR has to beat: interpolation, and regularised least squares on one forward model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy

from .acquisition import View, check_overlap, intensity_scale, system_matrix
from .errors import InputError
from .volume import Grid

METHODS = {
    "cubic": "Mean of the cubic spline interpolations of the views.",
    "tikhonov": "Least squares on the views with a penalty on squared first differences.",
    "tv": "Least squares on the views with a penalty on the total variation.",
}

TV_SMOOTHING = 0.01
"""Rounds the corner of the total variation at zero gradient; fraction of the intensity scale."""


def reconstruct_baseline(
    views: Sequence[View],
    grid: Grid,
    method: str,
    weight: float = 0.0,
) -> np.ndarray:
    """Reconstruct a volume from views without a network.

    Args:
        views: at least one.
        grid: of the result.
        method: a key of `METHODS`.
        weight: of the penalty, for intensities scaled to about [0, 1]; "cubic" has none.

    Returns:
        float32 of shape `grid.shape`, in the units of the views.

    Raises:
        InputError: the method is not known, the weight not finite, or the views do not overlap.
    """
    if method not in METHODS:
        raise InputError(f"method '{method}' is not known; use {', '.join(METHODS)}.")
    if not (np.isfinite(weight) and weight >= 0):
        raise InputError(f"the weight of {method} is {weight}; give a number from 0.")
    check_overlap(views)
    if method == "cubic":
        return cubic_mean(views, grid)
    scale = intensity_scale(views)
    start = cubic_mean(views, grid).ravel() / scale
    matrix, slices = _stacked(views, grid, scale)
    solve = _tikhonov if method == "tikhonov" else _total_variation
    image = solve(matrix, slices, gradient(grid), weight, start)
    return (image * scale).astype(np.float32).reshape(grid.shape)


def cubic_mean(views: Sequence[View], grid: Grid) -> np.ndarray:
    """Mean over the views of cubic spline interpolation at the voxel centres; float32."""
    total = np.zeros(grid.size)
    block = 1 << 20
    for view in views:
        for start in range(0, grid.size, block):
            index = view.volume.grid.index(grid.centres(start, start + block))
            total[start : start + block] += scipy.ndimage.map_coordinates(
                view.volume.array, index.T, order=3, mode="nearest"
            )
    return (total / len(views)).astype(np.float32).reshape(grid.shape)


def gradient(grid: Grid) -> scipy.sparse.csr_array:
    """First differences along the three axes.

    Differences are per geometric mean voxel size, so that anisotropic grids are not favoured along
    their short axes, and zero beyond the last voxel.

    Returns:
        float32 of shape (3 * voxels, voxels), C order, axis by axis.
    """
    unit = np.prod(grid.voxel_sizes) ** (1 / 3)
    blocks = []
    for axis, (n, voxel) in enumerate(zip(grid.shape, grid.voxel_sizes, strict=True)):
        difference = scipy.sparse.diags_array(
            [np.full(n, -1.0), np.full(n - 1, 1.0)], offsets=[0, 1], shape=(n, n)
        ).tolil()
        difference[n - 1, :] = 0
        factors = [scipy.sparse.eye_array(m) for m in grid.shape]
        factors[axis] = difference.tocsr() * (unit / voxel)
        blocks.append(scipy.sparse.kron(scipy.sparse.kron(factors[0], factors[1]), factors[2]))
    return scipy.sparse.csr_array(scipy.sparse.vstack(blocks), dtype=np.float32)


def _stacked(
    views: Sequence[View], grid: Grid, scale: float
) -> tuple[scipy.sparse.csr_array, np.ndarray]:
    """The system matrix of all views and their scaled voxels; rows without support left out."""
    matrices, slices = [], []
    for view in views:
        matrix = system_matrix(view, grid)
        seen = np.diff(matrix.indptr) > 0
        matrices.append(matrix[seen])
        slices.append(view.volume.array.ravel()[seen] / scale)
    stacked = scipy.sparse.csr_array(scipy.sparse.vstack(matrices))
    return stacked, np.concatenate(slices).astype(np.float64)


def _tikhonov(
    matrix: scipy.sparse.csr_array,
    slices: np.ndarray,
    differences: scipy.sparse.csr_array,
    weight: float,
    start: np.ndarray,
) -> np.ndarray:
    """Minimise |A x - y|^2 + weight * |D x|^2 by conjugate gradients on the normal equations."""
    adjoint, divergence = matrix.T.tocsr(), differences.T.tocsr()
    normal = scipy.sparse.linalg.LinearOperator(
        (matrix.shape[1],) * 2,
        matvec=lambda x: adjoint @ (matrix @ x) + weight * (divergence @ (differences @ x)),
        dtype=np.float64,
    )
    image, _ = scipy.sparse.linalg.cg(normal, adjoint @ slices, x0=start, rtol=1e-4, maxiter=500)
    return image


def _total_variation(
    matrix: scipy.sparse.csr_array,
    slices: np.ndarray,
    differences: scipy.sparse.csr_array,
    weight: float,
    start: np.ndarray,
) -> np.ndarray:
    """Minimise |A x - y|^2 + weight * sum |grad x| by L-BFGS.

    The isotropic total variation of Rudin, Osher and Fatemi (1992), smoothed to
    sqrt(|grad x|^2 + TV_SMOOTHING^2) so that it has a gradient everywhere.
    """
    adjoint, divergence = matrix.T.tocsr(), differences.T.tocsr()

    def objective(image: np.ndarray) -> tuple[float, np.ndarray]:
        residual = matrix @ image - slices
        slope = (differences @ image).reshape(3, -1)
        length = np.sqrt((slope**2).sum(axis=0) + TV_SMOOTHING**2)
        value = residual @ residual + weight * length.sum()
        return value, 2 * (adjoint @ residual) + weight * (divergence @ (slope / length).ravel())

    options = {"maxiter": 200, "maxcor": 5, "ftol": 1e-7}
    return scipy.optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
