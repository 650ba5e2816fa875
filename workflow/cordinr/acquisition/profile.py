"""Slice profiles: how a scanner weights what lies across a slice."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy

from ..errors import InputError
from ..imaging.resampling import FWHM_PER_SIGMA

ProfileShape = Literal["box", "gaussian", "point"]

GAUSSIAN_SUPPORT = 3.0
"""Half-width, in standard deviations, over which the sample points of a gaussian lie."""


@dataclass(frozen=True)
class SliceProfile:
    """Sensitivity along the slice normal, of unit integral.

    Attributes:
        shape: "box" is uniform over the thickness; "gaussian" has a full width at half maximum
            equal to the thickness; "point" samples the slice centre alone.
        thickness: millimetres.
    """

    shape: ProfileShape
    thickness: float

    def __post_init__(self) -> None:
        if self.shape not in get_args(ProfileShape):
            raise InputError(
                f"slice profile '{self.shape}' is not known; use box, gaussian or point."
            )
        if not (np.isfinite(self.thickness) and self.thickness > 0):
            raise InputError(f"slice thickness {self.thickness} mm is not a positive number.")

    @property
    def extent(self) -> float:
        """Millimetres along the normal outside which the profile is zero."""
        if self.shape == "gaussian":
            return 2 * GAUSSIAN_SUPPORT * self.thickness / FWHM_PER_SIGMA
        return self.thickness if self.shape == "box" else 0.0

    @property
    def variance(self) -> float:
        """Second moment of the profile in mm squared."""
        if self.shape == "point":
            return 0.0
        deviation = math.sqrt(12) if self.shape == "box" else FWHM_PER_SIGMA
        return (self.thickness / deviation) ** 2

    def samples(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Sample points along the normal that represent the profile.

        Args:
            n: number of points; 5 mid-points of a box reproduce a 5:1 average of voxels exactly.

        Returns:
            Offsets from the slice centre in millimetres, (n,), and weights that sum to one, (n,).
            A "point" profile has one sample whatever `n`.
        """
        if self.shape == "point":
            return np.zeros(1), np.ones(1)
        midpoints = (np.arange(n) + 0.5) / n - 0.5
        if self.shape == "box":
            return midpoints * self.thickness, np.full(n, 1 / n)
        offsets = midpoints * self.extent
        weights = np.exp(-0.5 * (offsets * FWHM_PER_SIGMA / self.thickness) ** 2)
        return offsets, weights / weights.sum()

    def voxel_weights(self, distance: np.ndarray, voxel: float) -> np.ndarray:
        """Integral of the profile over voxels.

        Args:
            distance: voxel centre minus slice centre along the normal, millimetres, any shape.
            voxel: voxel size along the normal, millimetres.

        Returns:
            Weights of the same shape. A "point" is interpolated linearly between voxel centres,
            hence is plain decimation where slices are centred on voxels.
        """
        if self.shape == "point":
            return np.clip(1 - np.abs(distance) / voxel, 0, None)
        return self._integral(distance + voxel / 2) - self._integral(distance - voxel / 2)

    def _integral(self, offset: np.ndarray) -> np.ndarray:
        """The profile integrated from minus infinity to `offset` (mm)."""
        if self.shape == "box":
            return np.clip(offset / self.thickness + 0.5, 0, 1)
        return scipy.special.ndtr(offset * FWHM_PER_SIGMA / self.thickness)
