"""Where stacks are compared: a mask, and how far a place is from it."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..errors import InputError
from ..imaging.grid import Grid
from ..imaging.volume import Volume


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask in world space.

    Attributes:
        distance: mm from each voxel to the nearest one of the mask, 0 within it.
        grid: of the distances.
    """

    distance: np.ndarray
    grid: Grid

    @classmethod
    def of(cls, volume: Volume, name: str) -> "Mask":
        """The mask of all voxels that are not zero.

        Raises:
            InputError: there is none.
        """
        inside = np.nan_to_num(volume.array) != 0
        if not inside.any():
            raise InputError(
                f"{name}: the mask is empty; mark what the scans are to be aligned by."
            )
        distance = ndimage.distance_transform_edt(~inside, sampling=volume.grid.voxel_sizes)
        return cls(distance.astype(np.float32), volume.grid)

    def within(self, world: np.ndarray, margin_mm: float) -> np.ndarray:
        """Which positions (n, 3) in world mm lie at most so far from the mask, bool (n,)."""
        index = np.rint(self.grid.index(world)).astype(int)
        last = np.array(self.grid.shape) - 1
        nearest = np.clip(index, 0, last)
        # Beyond the image of the mask, the way to its edge counts as well.
        beyond = np.linalg.norm((index - nearest) * self.grid.voxel_sizes, axis=1)
        return self.distance[tuple(nearest.T)] + beyond <= margin_mm
