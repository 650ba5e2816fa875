"""How noisy the views are, which decides how much a fit smooths."""

from collections.abc import Sequence

import numpy as np

from ..acquisition.noise import noise_of
from ..acquisition.view import View
from ..imaging.grid import Grid
from .point_groups import PointGroup

ANATOMY_AS_NOISE = 0.014
"""Noise level that the estimator reports for noise-free images of fine anatomy, in units of the
intensity scale; it is subtracted."""


def excess_noise(views: Sequence[View], scale: float) -> float:
    """Noise variance of the views beyond `ANATOMY_AS_NOISE`, in units of `scale` squared."""
    return max(0.0, noise_level(views, scale) ** 2 - ANATOMY_AS_NOISE**2)


def noise_level(views: Sequence[View], scale: float) -> float:
    """Standard deviation of the noise of the least noisy view, in units of `scale`.

    The least noisy view counts, as detail of the anatomy is taken for noise.
    """
    return min(noise_of(view) for view in views) / scale


def points_per_voxel(groups: Sequence[PointGroup], grid: Grid, centre: np.ndarray) -> float:
    """Mean number of sample points in a voxel of a grid.

    Args:
        groups: of the views.
        grid: what all views show.
        centre: (3,) world mm that is the origin of the groups.
    """
    blocks = (block for group in groups for block in group.indices(grid, centre))
    return sum(int(grid.contains(block).sum()) for block in blocks) / grid.size
