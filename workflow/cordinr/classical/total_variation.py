"""Least squares on the views with a penalty on the total variation, on a CPU or a GPU.

Rudin, Osher, Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D 60,
1992.
"""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy
import torch
from torch import Tensor

from .differences import Differences

TV_EPSILON = 0.01
"""Rounds the total variation where there is no gradient; fraction of the intensity scale."""

MAX_ITERATIONS = 200

PRECISION = 1e-8
"""Fall of the objective, as a part of where it began, below which nothing more is done."""


def smoothed_length(slopes: Tensor, dim: int) -> Tensor:
    """sqrt(|slopes|^2 + CORNER^2) along `dim`, which has a gradient everywhere."""
    return (slopes.square().sum(dim=dim) + TV_EPSILON**2).sqrt()


@torch.no_grad()
def least_total_variation(
    matrix: scipy.sparse.csr_array,
    slices: np.ndarray,
    differences: Differences,
    weight: float,
    start: np.ndarray,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Minimise |A x - y|^2 + weight * sum of the lengths of x's gradients, by L-BFGS.

    Args:
        matrix: A, of shape (slice voxels, volume voxels), float32.
        slices: y, scaled to about [0, 1].
        differences: of the volume.
        weight: of the total variation.
        start: (volume voxels,) to begin from.
        device: "cpu" or "cuda".

    Returns:
        (volume voxels,) float32 on the device.

    Raises:
        OverflowError: the objective is not a finite number.
    """
    device = torch.device(device)

    def tensor(array: np.ndarray) -> Tensor:
        return torch.as_tensor(array, dtype=torch.float32, device=device)

    forward, backward = product(matrix, device), product(matrix.T.tocsr(), device)
    image, measured = tensor(start).clone(), tensor(slices)
    slopes, divergence = image.new_zeros(3, len(image)), torch.empty_like(image)
    first: float | None = None

    def objective() -> float:
        nonlocal first
        residual = forward(image) - measured
        lengths = smoothed_length(differences.of(image, slopes), dim=0)
        value = float(residual @ residual + weight * lengths.sum())
        if not math.isfinite(value):
            raise OverflowError("the total variation is no finite number")
        # Of intensities of about 1; an outlier would leave nothing of the rest.
        first = first or min(value, float(len(measured))) or 1.0
        differences.adjoint(slopes.div_(lengths), divergence)
        image.grad = (2 * backward(residual)).add_(divergence, alpha=weight).div_(first)
        return value / first

    _LBFGS(
        [image],
        max_iter=MAX_ITERATIONS,
        history_size=5,
        tolerance_grad=0,
        tolerance_change=PRECISION,
        line_search_fn="strong_wolfe",
    ).step(objective)
    return image


class _LBFGS(torch.optim.LBFGS):
    """Without torch's compiler, which `add_param_group` would load: 1.2 s of every process."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take the only group that there is."""
        self.param_groups.append(self.defaults | param_group)


def product(matrix: scipy.sparse.csr_array, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Multiplication of vectors on a device by a float32 matrix.

    On a CPU by SciPy: torch has sparse products only where it was built with MKL.
    """
    if device.type == "cpu":
        return lambda vector: torch.from_numpy(matrix @ vector.numpy())
    return stored_product(matrix, device)


def stored_product(
    matrix: scipy.sparse.csr_array, device: torch.device | str = "cpu"
) -> Callable[[Tensor], Tensor]:
    """As `product`, with the matrix on the device."""
    indices = (torch.as_tensor(part, device=device) for part in (matrix.indptr, matrix.indices))
    numbers = torch.as_tensor(matrix.data, device=device)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        stored = torch.sparse_csr_tensor(*indices, numbers, matrix.shape, check_invariants=False)
    return lambda vector: stored @ vector
