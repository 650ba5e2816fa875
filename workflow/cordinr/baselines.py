"""What any INR has to beat: interpolation, and regularised least squares on one forward model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import scipy

from .acquisition import View, check_overlap, intensity_scale, system_matrix
from .differences import Differences
from .errors import InputError
from .volume import Grid

if TYPE_CHECKING:
    import torch

METHODS = {
    "cubic": "Mean of the cubic spline interpolations of the views.",
    "tikhonov": "Least squares on the views with a penalty on squared first differences.",
    "tv": "Least squares on the views with a penalty on the total variation.",
}


def reconstruct_baseline(
    views: Sequence[View],
    grid: Grid,
    method: str,
    weight: float = 0.0,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Reconstruct a volume from views without a network.

    Args:
        views: at least one.
        grid: of the result.
        method: a key of `METHODS`.
        weight: of the penalty, for intensities scaled to about [0, 1]; "cubic" has none.
        device: where total variation is computed, "cpu" or "cuda".

    Returns:
        float32 of shape `grid.shape`, in the units of the views.

    Raises:
        InputError: the method is not known, the weight not finite, the views do not overlap, or
            hold intensities that are too large for total variation.
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
    differences = Differences.on(grid)
    if method == "tikhonov":
        image = _tikhonov(matrix, slices, differences, weight, start)
    else:
        from .total_variation import least_total_variation

        try:
            found = least_total_variation(matrix, slices, differences, weight, start, device)
        except OverflowError as error:
            names = " and ".join(view.name for view in views)
            raise InputError(
                f"{names}: hold intensities too far beyond their 99th percentile for total "
                "variation; clip them."
            ) from error
        image = found.cpu().numpy()
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
    differences: Differences,
    weight: float,
    start: np.ndarray,
) -> np.ndarray:
    """Minimise |A x - y|^2 + weight * |D x|^2 by conjugate gradients on the normal equations."""
    adjoint, voxels = matrix.T.tocsr(), matrix.shape[1]
    slopes, divergence = np.zeros((3, voxels)), np.empty(voxels)

    def normal(x: np.ndarray) -> np.ndarray:
        differences.adjoint(differences.of(x, slopes), divergence)
        return adjoint @ (matrix @ x) + weight * divergence

    normal = scipy.sparse.linalg.LinearOperator((voxels,) * 2, matvec=normal, dtype=np.float64)
    image, _ = scipy.sparse.linalg.cg(normal, adjoint @ slices, x0=start, rtol=1e-4, maxiter=500)
    return image
