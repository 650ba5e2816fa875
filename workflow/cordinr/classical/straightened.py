"""Stacks whose slices moved, interpolated as if they lay in their places.

What interpolates a stack on its own grid, as the cubic mean does, needs slices at equal distances,
one above the other. The forward model does not: it knows where each slice is.
"""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from ..acquisition.view import View
from ..imaging.grid import Grid
from ..imaging.volume import Volume

PARTS = 4
"""Planes per slice spacing of a straightened stack. Each is interpolated from where the slices are,
so that interpolating between these planes blurs little."""

MIN_APART = 0.25
"""Distance of two slices, as a fraction of the slice spacing, below which they count as one."""


def straightened(view: View) -> View:
    """A stack without `View.shifts` over the same field of view, of thinner planes.

    Slices are displaced back in their planes by cubic splines, and planes at equal distances are
    interpolated by cubic splines between the heights at which they lie. Slices of which nothing was
    measured are passed over. A plane is measured, and trusted, like the nearest slice.

    Args:
        view: returned as it is where no slice moved.
    """
    if view.shifts is None:
        return view
    grid, axis = view.volume.grid, view.axis
    steps = view.shifts @ grid.directions / grid.voxel_sizes
    count = grid.shape[axis]
    heights = np.arange(count) + steps[:, axis]
    array = np.moveaxis(view.volume.array, axis, 0).astype(np.float32)
    measured = np.ones(grid.shape, bool) if view.measured is None else view.measured
    measured = np.moveaxis(measured, axis, 0).copy()
    for number, step in enumerate(steps[:, list(view.in_plane)]):
        array[number] = ndimage.shift(array[number], step, order=3, mode="nearest")
        measured[number] = ndimage.shift(measured[number], step, order=0, cval=False)
    seen = measured.any(axis=(1, 2))
    used = seen if seen.any() else np.ones(count, bool)
    planes = (np.arange(count * PARTS) + 0.5) / PARTS - 0.5
    nearest = np.abs(planes[:, None] - heights).argmin(axis=1)
    affine = grid.affine.copy()
    affine[:3, 3] = grid.world(planes[0] * np.eye(3)[axis])
    affine[:3, axis] /= PARTS
    first, second, third = (n * PARTS if k == axis else n for k, n in enumerate(grid.shape))
    fine = Grid((first, second, third), affine, grid.space)
    known = np.moveaxis(measured[nearest], 0, axis)
    return replace(
        view,
        volume=Volume(np.moveaxis(_across(heights[used], array[used], planes), 0, axis), fine),
        measured=None if known.all() else known,
        trust=None if view.trust is None else view.trust[nearest],
        shifts=None,
        lost=None,
        interpolation_error=None,
    )


def _across(heights: np.ndarray, slices: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Slices (n, rows, columns) at any heights (n,), interpolated at those of planes (m,).

    Slices that lie almost in one place are averaged: splines would swing between them.
    """
    from scipy.interpolate import CubicSpline  # loads what no other reconstruction needs

    order = np.argsort(heights, kind="stable")
    heights, slices = heights[order], slices[order]
    group = np.cumsum(np.diff(heights, prepend=heights[0]) > MIN_APART)
    weights = (group == np.arange(group[-1] + 1)[:, None]).astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    heights, slices = weights @ heights, np.tensordot(weights, slices, 1)
    if len(heights) < 2:
        return np.broadcast_to(slices, (len(planes), *slices.shape[1:])).copy()
    between = CubicSpline(heights, slices, axis=0)
    return between(np.clip(planes, heights[0], heights[-1])).astype(np.float32)
