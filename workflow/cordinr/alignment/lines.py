"""What two stacks show on the lines where their slices cross, as numbers to be compared."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

MIN_BRIGHTNESS = 0.1
"""Fraction of the intensity scale below which a point is air, which tells nothing of a gain."""

MIN_POINTS = 30
"""Number of points on its lines below which nothing is said of a slice."""

ROUNDS = 6
"""Number of rounds of gains and robust weights."""

HUBER = 1.5
"""Difference in standard deviations from which it counts less than by its square."""


@dataclass(frozen=True, eq=False)
class Shading:
    """A smooth factor on the intensities of a stack.

    Attributes:
        centre: (3,) world mm.
        radius: mm that are 1 in the polynomial.
        coefficients: of the terms of `polynomial`, of the logarithm of the factor.
    """

    centre: np.ndarray
    radius: float
    coefficients: np.ndarray

    def factor(self, world: np.ndarray) -> np.ndarray:
        """(n,) at world mm (n, 3)."""
        terms = polynomial((world - self.centre) / self.radius)
        return np.exp(np.clip(terms @ self.coefficients, -1.5, 1.5))


@dataclass(frozen=True, eq=False)
class Lines:
    """Points on the lines of two stacks.

    Attributes:
        numbers: of both stacks.
        values: (2, n) intensities of both, in units of the fixed stack.
        slices: (2, n) numbers of the slices of both.
        world: (n, 3) mm.
    """

    numbers: tuple[int, int]
    values: np.ndarray
    slices: np.ndarray
    world: np.ndarray

    def without(self, shadings: Sequence[Shading | None]) -> "Lines":
        """The same with the shading of each stack removed."""
        values = self.values.copy()
        for row, number in enumerate(self.numbers):
            shading = shadings[number]
            if shading is not None:
                values[row] /= shading.factor(self.world)
        return replace(self, values=values)


def intensity_of(lines: Sequence[Lines]) -> float:
    """A high percentile of the intensities on all lines, 1 if they are all 0."""
    return float(np.percentile(np.hstack([each.values.ravel() for each in lines]), 99)) or 1.0


def huber_weights(difference: np.ndarray) -> np.ndarray:
    """Weights (n,) of Huber's estimator, for differences (n,) scaled by their median."""
    size = np.abs(difference)
    limit = HUBER * 1.4826 * max(float(np.median(size)), 1e-12)
    return np.minimum(1, limit / np.maximum(size, 1e-12))


def polynomial(place: np.ndarray) -> np.ndarray:
    """Terms (n, 9) of first and second order, without a constant, at places (n, 3)."""
    x, y, z = place.T
    return np.stack([x, y, z, x * x, y * y, z * z, x * y, x * z, y * z], axis=1)
