"""How noisy the views are, which decides how much a fit smooths."""

from collections.abc import Sequence

import numpy as np

from ..acquisition.view import View
from ..imaging.grid import Grid
from .point_groups import PointGroup

ANATOMY_AS_NOISE = 0.014
"""Noise level that the estimator reports for noise-free images of fine anatomy, in units of the
intensity scale; it is subtracted."""

MAD_OF_NORMAL = 0.6745
"""Ratio of the median absolute deviation of a normal distribution to its standard deviation."""


def excess_noise(views: Sequence[View], scale: float) -> float:
    """Noise variance of the views beyond `ANATOMY_AS_NOISE`, in units of `scale` squared."""
    return max(0.0, noise_level(views, scale) ** 2 - ANATOMY_AS_NOISE**2)


def noise_level(views: Sequence[View], scale: float) -> float:
    """Standard deviation of the noise of the least noisy view, in units of `scale`.

    From the finest diagonal Haar wavelet coefficients in the planes of the slices: Donoho and
    Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994, section 3. The
    least noisy view counts, as detail of the anatomy is taken for noise. Exact zeros, which a
    masked background is made of, are left out.
    """
    levels = []
    for view in views:
        slices = np.moveaxis(view.volume.array, view.axis, 0)
        detail = np.diff(np.diff(slices, axis=1), axis=2)[:, ::2, ::2] / 2
        seen = np.abs(detail[detail != 0])
        levels.append(float(np.median(seen)) / MAD_OF_NORMAL if seen.size else 0.0)
    return min(levels) / scale


def points_per_voxel(groups: Sequence[PointGroup], grid: Grid, centre: np.ndarray) -> float:
    """Mean number of sample points in a voxel of a grid.

    Args:
        groups: of the views.
        grid: what all views show.
        centre: (3,) world mm that is the origin of the groups.
    """
    blocks = (block for group in groups for block in group.indices(grid, centre))
    return sum(int(grid.contains(block).sum()) for block in blocks) / grid.size
