"""An image that agrees with the views as far as their noise allows, and else stays what it was.

The learned image x0 has errors of variance S at its voxels, the views y = A x have noise of
variance N. The most probable image is x0 + S A' (A S A' + N)^-1 (y - A x0): Tarantola, "Inverse
problem theory", SIAM 2005, equation 3.38. The inner matrix is almost diagonal, as slices of one
view overlap little, and conjugate gradients need few iterations.

The errors of neighbouring voxels have opposite signs more often than not, as x0 has seen the views
already: averages over slices are better than S says. S is therefore lowered until the views are as
far from A x0 as S and N say together; with noisy views little is then left to be changed.
"""

import logging
from collections.abc import Callable, Sequence

import numpy as np
import scipy
import torch
from torch import Tensor

from ..acquisition.forward import measured_rows
from ..acquisition.noise import excess_noise
from ..acquisition.view import View
from ..classical.total_variation import product
from ..imaging.grid import Grid

log = logging.getLogger(__name__)

MIN_NOISE = 0.001
"""Standard deviation, in units of the intensity scale, that every view is at least taken to have:
no forward model is exact."""

TOLERANCE = 1e-3
"""Relative residual at which conjugate gradients have converged."""

MAX_ITERATIONS = 60
"""Maximum number of iterations of conjugate gradients."""

MIN_ERROR = 1e-4
"""Smallest standard error of a voxel, in units of the intensity scale."""


def agree(
    views: Sequence[View],
    grid: Grid,
    image: np.ndarray,
    standard_error: np.ndarray,
    scale: float,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Minimise |A x - y|^2 / noise^2 + |(x - image) / standard_error|^2.

    Args:
        views: that the image has to agree with.
        grid: of the image.
        image: to begin from.
        standard_error: of the image at each voxel: where it is large, more is changed.
        scale: intensity of the views that counts as 1.
        device: where to compute.

    Returns:
        float32 of the shape of the image.
    """
    device = torch.device(device)
    noise = max(MIN_NOISE, float(np.sqrt(excess_noise(views, scale))))
    start = image.ravel().astype(np.float32) / np.float32(scale)
    error = np.maximum(standard_error.ravel() / scale, MIN_ERROR)
    variance = torch.as_tensor((error**2).astype(np.float32), device=device)
    matrix, values, noises = _stacked(views, grid, scale, noise)
    forward, backward = product(matrix, device), product(matrix.T.tocsr(), device)
    begin = torch.as_tensor(start, device=device)
    wanted = torch.as_tensor(values, device=device) - forward(begin)
    own = torch.as_tensor(noises, device=device)

    def inner(vector: Tensor) -> Tensor:
        return forward(variance * backward(vector)) + own * vector

    squares = matrix.copy()
    squares.data = squares.data**2
    believed = product(squares, device)(variance)
    part = _part_believed(wanted, believed, own)
    variance, diagonal = part * variance, part * believed + own
    solution = conjugate_gradients(inner, wanted, diagonal)
    changed = begin + variance * backward(solution)
    return (changed.cpu().numpy() * np.float32(scale)).reshape(grid.shape)


def _part_believed(residual: Tensor, believed: Tensor, noise: Tensor) -> float:
    """Factor from 0 to 1 on the variances of voxels that explains the residuals at the views.

    Args:
        residual: (n,) views less those of the image.
        believed: (n,) variance of it that the errors of the voxels would cause.
        noise: (n,) variance that the noise of the views causes.
    """
    weight = 1 / noise  # slices that are trusted less count less
    unexplained = float((weight * residual.square()).sum()) - len(residual)
    explained = float((weight * believed).sum())
    return min(1.0, max(0.0, unexplained / explained)) if explained > 0 else 0.0


def conjugate_gradients(
    operator: Callable[[Tensor], Tensor], wanted: Tensor, diagonal: Tensor
) -> Tensor:
    """Solve a symmetric positive definite system, preconditioned by its diagonal.

    Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", Journal of
    Research of the National Bureau of Standards, 1952.

    Args:
        operator: the product with the matrix.
        wanted: (n,) right-hand side.
        diagonal: (n,) of the matrix.
    """
    solution, residual = torch.zeros_like(wanted), wanted.clone()
    eased = residual / diagonal
    direction, product_now = eased.clone(), float(residual @ eased)
    enough = TOLERANCE**2 * product_now
    for _ in range(MAX_ITERATIONS):
        if product_now <= enough or product_now == 0:
            return solution
        moved = operator(direction)
        step = product_now / float(direction @ moved)
        solution.add_(direction, alpha=step)
        residual.sub_(moved, alpha=step)
        eased = residual / diagonal
        product_last, product_now = product_now, float(residual @ eased)
        direction = eased + (product_now / product_last) * direction
    log.debug("agreement with the views did not converge within %d iterations", MAX_ITERATIONS)
    return solution


def _stacked(
    views: Sequence[View], grid: Grid, scale: float, noise: float
) -> tuple["scipy.sparse.csr_array", np.ndarray, np.ndarray]:
    """The system matrix of all views, their scaled voxels, and the noise variance of each.

    Slices that are trusted less are taken to be noisier.
    """
    matrices, values, noises = [], [], []
    for view in views:
        rows, used = measured_rows(view, grid)
        matrices.append(rows)
        values.append(view.volume.array.ravel()[used] / scale)
        trust = view.voxel_trust.ravel()[used]
        variance = np.full(len(trust), noise**2)
        if view.interpolation_error is not None:
            variance += (view.interpolation_error.ravel()[used] / scale) ** 2
        noises.append(variance / trust)
    stacked = scipy.sparse.csr_array(scipy.sparse.vstack(matrices), dtype=np.float32)
    return (
        stacked,
        np.concatenate(values).astype(np.float32),
        np.concatenate(noises).astype(np.float32),
    )
