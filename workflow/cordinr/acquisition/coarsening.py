"""Views and grids of coarser voxels, where finer ones would cost more than they give."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..imaging.grid import Grid
from ..imaging.volume import Volume
from .forward import count_entries
from .view import View

FACTORS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)
"""Factors on a voxel size that are tried, until a system matrix is small enough."""


def coarsened(
    views: Sequence[View], grid: Grid, max_entries: float, max_voxels: float
) -> tuple[list[View], Grid, float]:
    """Views and a grid for a reconstruction of limited size.

    Args:
        views: to be reconstructed.
        grid: of the reconstruction.
        max_entries: of the matrices of all views together.
        max_voxels: of the grid.

    Returns:
        Views whose voxels were averaged in the plane where those of the grid are at least twice as
        long, the grid over the same field of view, and the factor on its voxel size. The arguments
        themselves where they are small enough.
    """
    chosen, coarse, factor = list(views), grid, 1.0
    for factor in FACTORS:
        if factor > 1:
            coarse = grid.resampled(float(grid.voxel_sizes.max()) * factor)
            chosen = [bin_in_plane(view, float(coarse.voxel_sizes.max())) for view in views]
        if coarse.size > max_voxels:
            continue
        if sum(count_entries(view, coarse) for view in chosen) <= max_entries:
            break
    return chosen, coarse, factor


def bin_in_plane(view: View, voxel_mm: float) -> View:
    """A view whose voxels are averaged in the plane while they stay within `voxel_mm`.

    A voxel is measured where all of its parts were. Rows and columns that fill no voxel are left
    out.
    """
    grid = view.volume.grid
    times = [1, 1, 1]
    for axis in view.in_plane:
        fitting = int(voxel_mm / grid.voxel_sizes[axis] + 1e-3)
        times[axis] = min(max(1, fitting), grid.shape[axis])
    if max(times) == 1:
        return view
    counts = [n // k for n, k in zip(grid.shape, times, strict=True)]
    whole = tuple(slice(n * k) for n, k in zip(counts, times, strict=True))
    parts = [each for pair in zip(counts, times, strict=True) for each in pair]
    blocks = view.volume.array[whole].reshape(parts)
    affine = grid.affine.copy()
    affine[:3, 3] = grid.world((np.array(times) - 1) / 2)
    affine[:3, :3] *= times
    shape = counts[0], counts[1], counts[2]
    array = blocks.mean(axis=(1, 3, 5), dtype=np.float64).astype(np.float32)
    measured = None
    if view.measured is not None:
        measured = np.asarray(view.measured[whole].reshape(parts).all(axis=(1, 3, 5)))
    return replace(
        view,
        volume=Volume(array, Grid(shape, affine, grid.space)),
        measured=measured,
        lost=None,
        interpolation_error=None,
    )
