"""Where an INR is fitted and rendered: what all views show, and one slice around it.

A sagittal scan is often longer than the axial one and the axial one wider, so that most of the box
around both is seen by at most one scan; nothing can be super-resolved there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..imaging.grid import Grid
from .overlap import common_grid, limits_of, within_any
from .view import View


@dataclass(frozen=True, eq=False)
class FitDomain:
    """A box along the axes of a grid, which may end earlier at the fields of view of the scans.

    Attributes:
        grid: what all views show.
        margin: millimetres that the box extends beyond the edges of the grid.
        limits: grids of scans; a position outside all of them is outside the domain as well. Empty
            for no such limit.
    """

    grid: Grid
    margin: float
    limits: tuple[Grid, ...] = ()

    @classmethod
    def of(cls, views: Sequence[View]) -> "FitDomain":
        """The domain of views; its margin is their longest slice profile or slice spacing.

        Raises:
            InputError: the views do not overlap.
        """
        profiles = [max(view.profile.extent, view.profile.thickness) for view in views]
        spacings = [view.volume.grid.voxel_sizes[view.axis] for view in views]
        return cls(common_grid(views), float(max(profiles + spacings)), limits_of(views))

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last index of the grid, (3,) each, that are still within."""
        reach = 0.5 + self.margin / self.grid.voxel_sizes
        return -reach, np.array(self.grid.shape) - 1 + reach

    def contains(self, world: np.ndarray) -> np.ndarray:
        """Which positions (..., 3) in world mm lie within, bool (...)."""
        within = self._in_box(world)
        return within & within_any(world, self.limits) if self.limits else within

    def _in_box(self, world: np.ndarray) -> np.ndarray:
        margin = self.margin / self.grid.voxel_sizes
        return self.grid.contains(self.grid.index(world), margin)

    def corners(self, views: Sequence[View]) -> np.ndarray:
        """Positions (k, 3) in world mm around all that the views show of the domain."""
        shown = np.concatenate([view.volume.grid.corners for view in views])
        if self._in_box(shown).all():
            return shown
        index, (low, high) = self.grid.index(shown), self.ends
        ends = np.maximum(index.min(axis=0), low), np.minimum(index.max(axis=0), high)
        return self.grid.world(np.stack(np.meshgrid(*zip(*ends, strict=True)), -1).reshape(-1, 3))

    def encloses(self, grid: Grid) -> bool:
        """Whether all of another grid lies within."""
        limits = [within_any(grid.corners, [limit]).all() for limit in self.limits]
        return bool(self._in_box(grid.corners).all() and (any(limits) or not limits))

    def count(self, grid: Grid) -> int:
        """How many voxels of another grid have their centres within."""
        if self.encloses(grid):
            return grid.size
        return sum(int(self.contains(centres).sum()) for _, centres in grid.blocks())
