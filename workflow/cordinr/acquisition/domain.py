"""Where an INR is fitted and rendered: what the views cover together, and one slice around it.

A sagittal scan is often longer than the axial one and the axial one wider, so that most of the box
around both is seen by at most one scan; nothing can be super-resolved there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..imaging.grid import Grid
from .overlap import Field, common_grid, limits_of, regions_of, within_all, within_any
from .view import View


@dataclass(frozen=True, eq=False)
class FitDomain:
    """A box along the axes of a grid, which may end earlier at the fields of view of the scans.

    Attributes:
        grid: a box around what the views cover.
        margin: millimetres that the domain extends beyond the edges of the grid and of the regions.
        limits: grids of scans; a position outside all of them is outside the domain as well. Empty
            for no such limit.
        regions: sets of grids of scans; a position that is not within all grids of one of the sets
            is outside the domain. Empty where the box is all that the views cover.
    """

    grid: Grid
    margin: float
    limits: tuple[Grid, ...] = ()
    regions: tuple[tuple[Grid, ...], ...] = ()

    @classmethod
    def of(cls, views: Sequence[View], field: Field = "crossed") -> "FitDomain":
        """The domain of views; its margin is their longest slice profile or slice spacing.

        Raises:
            InputError: the views do not overlap, or the field is not known.
        """
        profiles = [max(view.profile.extent, view.profile.thickness) for view in views]
        spacings = [view.spacing for view in views]
        margin = float(max(profiles + spacings))
        regions = regions_of(views, field)
        grids = tuple(tuple(view.volume.grid for view in region) for region in regions)
        if len(grids) == 1 and all(_along(views[0].volume.grid, grid) for grid in grids[0]):
            grids = ()
        return cls(common_grid(views, field=field), margin, limits_of(views), grids)

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last index of the grid, (3,) each, that are still within."""
        reach = 0.5 + self.margin / self.grid.voxel_sizes
        return -reach, np.array(self.grid.shape) - 1 + reach

    def contains(self, world: np.ndarray) -> np.ndarray:
        """Which positions (..., 3) in world mm lie within, bool (...)."""
        within = self._in_box(world)
        if self.limits:
            within = within & within_any(world, self.limits)
        if self.regions:
            within = within & self._in_regions(world)
        return within

    def _in_box(self, world: np.ndarray) -> np.ndarray:
        margin = self.margin / self.grid.voxel_sizes
        return self.grid.contains(self.grid.index(world), margin)

    def _in_regions(self, world: np.ndarray) -> np.ndarray:
        return np.any([within_all(world, each, self.margin) for each in self.regions], axis=0)

    def corners(self, views: Sequence[View]) -> np.ndarray:
        """Positions (k, 3) in world mm around all that the views show of the domain."""
        shown = np.concatenate([view.volume.grid.corners for view in views])
        if self._in_box(shown).all():
            return shown
        index, (low, high) = self.grid.index(shown), self.ends
        ends = np.maximum(index.min(axis=0), low), np.minimum(index.max(axis=0), high)
        return self.grid.world(np.stack(np.meshgrid(*zip(*ends, strict=True)), -1).reshape(-1, 3))

    def encloses(self, grid: Grid) -> bool:
        """Whether all of another grid lies within, as far as its corners tell."""
        corners = grid.corners
        limits = [within_any(corners, [limit]).all() for limit in self.limits]
        regions = [within_all(corners, region, self.margin).all() for region in self.regions]
        return bool(
            self._in_box(corners).all()
            and (any(limits) or not limits)
            and (any(regions) or not regions)
        )

    def count(self, grid: Grid) -> int:
        """How many voxels of another grid have their centres within."""
        if self.encloses(grid):
            return grid.size
        return sum(int(self.contains(centres).sum()) for _, centres in grid.blocks())


def _along(one: Grid, other: Grid) -> bool:
    """Whether the axes of two grids are parallel, in any order."""
    turn = np.abs(one.directions.T @ other.directions)
    return bool(np.allclose(turn.max(axis=0), 1, atol=1e-6))
