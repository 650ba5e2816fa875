"""Thick-slice views simulated from a volume."""

import numpy as np

from ..errors import InputError
from ..imaging.grid import Grid
from ..imaging.volume import Volume
from .forward import system_matrix
from .profile import SliceProfile
from .view import View


def slice_grid(grid: Grid, axis: int, profile: SliceProfile, spacing: float) -> Grid:
    """The grid of a stack of slices cut from `grid`.

    The first slice begins at the edge of voxel 0; slices whose profile would reach beyond the last
    voxel are left out. Slices of a "point" profile are centred on a voxel where the spacing is a
    whole number of voxels.

    Args:
        grid: of the volume.
        axis: array axis to slice along.
        profile: its thickness must be at least the voxel size along `axis`.
        spacing: millimetres between slice centres.

    Raises:
        InputError: slices thinner than a voxel, or the volume is thinner than one slice.
    """
    voxel = grid.voxel_sizes[axis]
    if not np.isfinite(spacing):
        raise InputError(f"slice spacing {spacing} mm is not a positive number.")
    if min(profile.thickness, spacing) < voxel - 1e-3:
        raise InputError(
            f"slices of {profile.thickness:g} mm every {spacing:g} mm are thinner than the voxels "
            f"({voxel:.3g} mm); ask for at least the voxel size."
        )
    extent = grid.shape[axis] * voxel
    reach = max(profile.extent, spacing)
    if extent < reach - 1e-3:
        raise InputError(
            f"the image is {extent:.3g} mm across along the slice axis, thinner than one slice of "
            f"{reach:.3g} mm; choose thinner slices or another axis."
        )
    count = int((extent - reach) / spacing + 1e-3) + 1
    first = reach / 2 / voxel - 0.5
    if profile.shape == "point":
        first = np.floor(first + 0.5)
    affine = grid.affine.copy()
    affine[:3, axis] *= spacing / voxel
    affine[:3, 3] = grid.world(np.eye(3)[axis] * first)
    x, y, z = (count if k == axis else n for k, n in enumerate(grid.shape))
    return Grid((x, y, z), affine, grid.space)


def acquire(volume: Volume, axis: int, profile: SliceProfile, spacing: float) -> View:
    """Simulate a stack of thick slices of a volume.

    Args:
        volume: of near isotropic voxels.
        axis: array axis to slice along.
        profile: of each slice.
        spacing: millimetres between slice centres.

    Raises:
        InputError: as `slice_grid`.
    """
    grid = slice_grid(volume.grid, axis, profile, spacing)
    empty = View(Volume(np.empty(grid.shape, np.float32), grid), axis, profile)
    slices = system_matrix(empty, volume.grid) @ volume.array.ravel()
    return View(Volume(slices.reshape(grid.shape), grid), axis, profile)
