"""Where stacks are compared: a mask, and how far a place is from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from ..acquisition.overlap import within_any
from ..acquisition.view import View
from ..errors import InputError
from ..imaging.grid import Grid
from ..imaging.volume import Volume, load_unchecked


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


def load_mask(path: Path, views: Sequence[View]) -> Mask:
    """The mask in an image, on any grid.

    Args:
        path: of the image; what is not zero counts.
        views: that are to be compared within the mask.

    Raises:
        InputError: the file is no 3D image, or marks nothing, or nothing that a view shows.
    """
    volume = load_unchecked(path)
    mask = Mask.of(volume, str(path))
    marked = volume.grid.world(np.argwhere(mask.distance == 0))
    if not within_any(marked, [view.volume.grid for view in views]).any():
        raise InputError(
            f"{path}: the mask lies where none of the scans is; give one that was drawn on one of "
            "them."
        )
    return mask
