"""First differences of a volume and their adjoint, for NumPy arrays and torch tensors alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..imaging.grid import Grid

if TYPE_CHECKING:  # commands without total variation start without torch
    from torch import Tensor

    Volume3 = TypeVar("Volume3", np.ndarray, Tensor)

HERE, AHEAD = slice(None, -1), slice(1, None)
"""Indices of the voxels that have a next one along an axis, and of those next ones."""


@dataclass(frozen=True)
class Differences:
    """Differences of neighbours along the three axes, zero at the last voxel.

    They are per geometric mean voxel size, so that anisotropic grids are not favoured along their
    short axes.

    Attributes:
        shape: (3,) of the volume.
        factors: (3,) factors of the differences along each axis.
    """

    shape: tuple[int, int, int]
    factors: tuple[float, float, float]

    @classmethod
    def on(cls, grid: Grid) -> Differences:
        """The differences of images on a grid."""
        unit = np.prod(grid.voxel_sizes) ** (1 / 3)
        x, y, z = (float(unit / voxel) for voxel in grid.voxel_sizes)
        return cls(grid.shape, (x, y, z))

    def compute(self, image: Volume3, out: Volume3) -> Volume3:
        """Write the differences of an image (voxels,) into `out` (3, voxels), C order.

        `out` has to be zero where a voxel has no next one, and stays so.
        """
        volume, slopes = image.reshape(self.shape), out.reshape(3, *self.shape)
        for axis, factor, here, ahead in self._pairs():
            slopes[axis][here] = (volume[ahead] - volume[here]) * factor
        return out

    def adjoint(self, slopes: Volume3, out: Volume3) -> Volume3:
        """Write the transposed product with slopes (3, voxels) into `out` (voxels,)."""
        flows, volume = slopes.reshape(3, *self.shape), out.reshape(self.shape)
        volume[...] = 0
        for axis, factor, here, ahead in self._pairs():
            flow = flows[axis][here] * factor
            volume[here] -= flow
            volume[ahead] += flow
        return out

    def _pairs(self) -> Iterator[tuple[int, float, tuple[slice, ...], tuple[slice, ...]]]:
        """For each axis its number, its factor, and the indices of both voxels of every pair."""
        for axis, factor in enumerate(self.factors):
            whole = [slice(None)] * 3
            here, ahead = ((*whole[:axis], part, *whole[axis + 1 :]) for part in (HERE, AHEAD))
            yield axis, factor, here, ahead
