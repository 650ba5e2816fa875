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


class Tikhonov:
    """Least squares with a penalty on first differences, for any voxels of the views.

    Args:
        matrix: system matrix of all views.
        differences: of images on its grid.
        weight: of the penalty.
    """

    def __init__(
        self, matrix: "scipy.sparse.csr_array", differences: Differences, weight: float
    ) -> None:
        self.matrix, self.adjoint = matrix, matrix.T.tocsr()
        self.differences, self.weight = differences, weight

    def least(
        self,
        slices: np.ndarray,
        start: np.ndarray,
        tolerance: float = CG_TOLERANCE,
        level: int = logging.WARNING,
    ) -> np.ndarray:
        """Minimise |A x - y|^2 + weight * |D x|^2 by conjugate gradients on the normal equations.

        Args:
            slices: y, (rows,).
            start: image (voxels,) to begin from.
            tolerance: relative residual at which the iterations end.
            level: of the message that the iterations did not converge.
        """
        voxels = self.matrix.shape[1]
        slopes, divergence = np.zeros((3, voxels)), np.empty(voxels)

        def normal(x: np.ndarray) -> np.ndarray:
            self.differences.adjoint(self.differences.compute(x, slopes), divergence)
            return self.adjoint @ (self.matrix @ x) + self.weight * divergence

        normal = scipy.sparse.linalg.LinearOperator((voxels,) * 2, matvec=normal, dtype=np.float64)
        image, failed = scipy.sparse.linalg.cg(
            normal, self.adjoint @ slices, x0=start, rtol=tolerance, maxiter=CG_MAX_ITERATIONS
        )
        if failed:
            log.log(
                level,
                "Tikhonov did not converge within %d iterations of conjugate gradients; raise its "
                "weight.",
                CG_MAX_ITERATIONS,
            )
        return image
