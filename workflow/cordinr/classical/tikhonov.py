"""The solver for Tikhonov's regularisation: least squares with a penalty on first differences."""

import logging

import numpy as np
import scipy

from .differences import Differences

log = logging.getLogger(__name__)

CG_TOLERANCE = 1e-4
"""Relative residual at which conjugate gradients have converged."""

CG_MAX_ITERATIONS = 500
"""Maximum number of iterations of conjugate gradients."""


def least_tikhonov(
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
        differences.adjoint(differences.compute(x, slopes), divergence)
        return adjoint @ (matrix @ x) + weight * divergence

    normal = scipy.sparse.linalg.LinearOperator((voxels,) * 2, matvec=normal, dtype=np.float64)
    image, failed = scipy.sparse.linalg.cg(
        normal, adjoint @ slices, x0=start, rtol=CG_TOLERANCE, maxiter=CG_MAX_ITERATIONS
    )
    if failed:
        log.warning(
            "Tikhonov did not converge within %d iterations of conjugate gradients; raise its "
            "weight.",
            CG_MAX_ITERATIONS,
        )
    return image
