"""How densely points lie that a fit smooths by the noise of the views."""

from collections.abc import Sequence

import numpy as np

from ..imaging.grid import Grid
from .point_groups import PointGroup


def points_per_voxel(groups: Sequence[PointGroup], grid: Grid, centre: np.ndarray) -> float:
    """Mean number of sample points in a voxel of a grid.

    Args:
        groups: of the views.
        grid: what all views show.
        centre: (3,) world mm that is the origin of the groups.
    """
    blocks = (block for group in groups for block in group.indices(grid, centre))
    return sum(int(grid.contains(block).sum()) for block in blocks) / grid.size
