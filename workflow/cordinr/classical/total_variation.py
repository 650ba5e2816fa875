"""Least squares on the views with a penalty on the total variation, on a CPU or a GPU.

Rudin, Osher, Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D 60,
1992.
"""

import logging
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy
import torch
from torch import Tensor

from .differences import Differences

log = logging.getLogger(__name__)

TV_EPSILON = 0.01
"""Gradient below which the total variation is rounded, as a fraction of the intensity scale."""

MAX_ITERATIONS = 200
"""Maximum number of iterations of L-BFGS."""

PRECISION = 1e-8
"""Decrease of the objective, as a fraction of its first value, at which L-BFGS has converged."""


def smoothed_length(slopes: Tensor, dim: int) -> Tensor:
    """sqrt(|slopes|^2 + TV_EPSILON^2) along `dim`, differentiable everywhere."""
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
        lengths = smoothed_length(differences.compute(image, slopes), dim=0)
        value = float(residual @ residual + weight * lengths.sum())
        if not math.isfinite(value):
            raise OverflowError("the total variation is not finite")
        # Bounded for intensities of about 1: one outlier would make all other voxels negligible.
        first = first or min(value, float(len(measured))) or 1.0
        differences.adjoint(slopes.div_(lengths), divergence)
        image.grad = (2 * backward(residual)).add_(divergence, alpha=weight).div_(first)
        return value / first

    optimiser = _LBFGS(
        [image],
        max_iter=MAX_ITERATIONS,
        history_size=5,
        tolerance_grad=0,
        tolerance_change=PRECISION,
        line_search_fn="strong_wolfe",
    )
    optimiser.step(objective)
    state, group = optimiser.state[image], optimiser.param_groups[0]
    if state["n_iter"] >= group["max_iter"] or state["func_evals"] >= group["max_eval"]:
        log.warning(
            "total variation did not converge within %d iterations of L-BFGS.", MAX_ITERATIONS
        )
    return image


class _LBFGS(torch.optim.LBFGS):
    """L-BFGS without torch's compiler, which `add_param_group` would load in 1.2 s per process."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Accept the only parameter group."""
        self.param_groups.append(self.defaults | param_group)


def product(matrix: scipy.sparse.csr_array, device: torch.device) -> Callable[[Tensor], Tensor]:
    """A function that multiplies vectors on a device by a float32 matrix.

    SciPy does it on a CPU, as torch has sparse products only where it was built with MKL.
    """
    if device.type == "cpu":
        return lambda vector: torch.from_numpy(matrix @ vector.numpy())
    return stored_product(matrix, device)


def stored_product(
    matrix: scipy.sparse.csr_array, device: torch.device | str = "cpu"
) -> Callable[[Tensor], Tensor]:
    """As `product`, with the matrix stored on the device."""
    rows, columns, numbers = (
        torch.as_tensor(part, device=device)
        for part in (matrix.indptr, matrix.indices, matrix.data)
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        # torch 2.11 warns in spite of check_invariants=False; 2.13 does not.
        warnings.filterwarnings("ignore", "Sparse invariant checks are implicitly disabled")
        stored = torch.sparse_csr_tensor(
            rows, columns, numbers, matrix.shape, check_invariants=False
        )
    return lambda vector: stored @ vector
