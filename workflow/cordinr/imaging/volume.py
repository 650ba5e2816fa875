"""Volumes in millimetres: load, check and save NIfTI; grids and their world coordinates."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from ..errors import InputError, first_line, is_out_of_memory
from ..files import atomic, check_file
from .nifti import (
    SCANNER,
    VOXEL_LIMITS_MM,
    affine_mm,
    check_whole,
    make_image,
    open_image,
    orientation_known,
)
from .resampling import nearest

log = logging.getLogger(__name__)

MAX_HOLES = 0.5
"""Part of a reference that may be not finite; around the field of view, after a resampling."""

SAME_EVERYWHERE = "every voxel has the same value; there is nothing to reconstruct."

ANATOMICAL_AXES = ("R", "A", "S")
"""The world axes of NIfTI: to the right, to the front (anterior), upwards (superior)."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of an image are.

    Attributes:
        shape: voxels along the three array axes.
        affine: (4, 4) float64, array index to world millimetres (R-A-S+).
        space: NIfTI's code of that world: 1 is the scanner's, others are aligned to something.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    space: int = SCANNER

    @property
    def voxel_sizes(self) -> np.ndarray:
        """(3,) millimetres along each array axis."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def directions(self) -> np.ndarray:
        """(3, 3) unit vectors in world space; column k points along array axis k."""
        return self.affine[:3, :3] / self.voxel_sizes

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape))

    @property
    def centre(self) -> np.ndarray:
        """(3,) world millimetres of the middle of the field of view."""
        return self.world((np.array(self.shape) - 1) / 2)

    @property
    def corners(self) -> np.ndarray:
        """(8, 3) world millimetres of the outer corners of the field of view (voxel edges)."""
        bounds = [(-0.5, n - 0.5) for n in self.shape]
        return self.world(np.stack(np.meshgrid(*bounds, indexing="ij"), -1).reshape(-1, 3))

    def world(self, index: np.ndarray) -> np.ndarray:
        """World millimetres of array indices; (..., 3) to (..., 3)."""
        return np.asarray(index, float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def index(self, world: np.ndarray) -> np.ndarray:
        """Fractional array indices of world millimetres; (..., 3) to (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(world, float) @ inverse[:3, :3].T + inverse[:3, 3]

    def centres(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """World millimetres of the voxel centres `start:stop` in C order, (n, 3) float64."""
        flat = np.arange(start, self.size if stop is None else min(stop, self.size))
        return self.world(np.stack(np.unravel_index(flat, self.shape), -1))

    def axis_along(self, letter: str) -> int:
        """The array axis closest to an anatomical axis ("R", "A" or "S"), through the affine.

        Raises:
            InputError: the letter names no anatomical axis.
        """
        if letter not in ANATOMICAL_AXES:
            raise InputError(f"axis '{letter}' is not anatomical: use R, A or S.")
        ornt = nib.orientations.io_orientation(self.affine)
        return int(np.flatnonzero(ornt[:, 0] == ANATOMICAL_AXES.index(letter))[0])

    def matches(self, other: "Grid", tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids put the same voxels in the same places."""
        return self.shape == other.shape and np.allclose(
            self.corners, other.corners, atol=tolerance_mm
        )

    def resampled(self, voxel_mm: float) -> "Grid":
        """An isotropic grid over the same field of view, along the same axes.

        The centre is kept; where the extent is no multiple of `voxel_mm` the outer voxels
        reach beyond the field of view on both sides by less than half a voxel.

        Raises:
            InputError: no such voxels can be.
        """
        low, high = VOXEL_LIMITS_MM
        if not low <= voxel_mm <= high:
            raise InputError(f"voxels of {voxel_mm:g} mm cannot be; choose {low:g} to {high:g} mm.")
        extent = np.array(self.shape) * self.voxel_sizes
        shape = np.maximum(1, np.ceil(extent / voxel_mm - 1e-3)).astype(int)
        affine = np.eye(4)
        affine[:3, :3] = self.directions * voxel_mm
        affine[:3, 3] = self.centre - affine[:3, :3] @ ((shape - 1) / 2)
        return Grid(tuple(int(n) for n in shape), affine, self.space)


@dataclass(frozen=True, eq=False)
class Volume:
    """An image: float32 array of shape `grid.shape` and the grid it stands on."""

    array: np.ndarray
    grid: Grid


def load_grid(path: Path | str) -> Grid:
    """The grid of a 3D NIfTI file, from its header alone.

    Raises:
        InputError: the file is missing, an unfetched annex pointer, no NIfTI, or not 3D.
    """
    return _open(Path(path))[1]


def has_orientation(path: Path | str) -> bool:
    """Whether the header of an image says how it lies in the world.

    Raises:
        InputError: as `load_grid`.
    """
    return orientation_known(_open(Path(path))[0])


def load_volume(path: Path | str) -> Volume:
    """A 3D NIfTI image, checked: complete, finite and not constant.

    Raises:
        InputError: as `load_grid`; also a truncated file, NaN or infinite voxels, one value only.
    """
    path = Path(path)
    volume = _read(path)
    if not np.isfinite(volume.array).all():
        bad = int((~np.isfinite(volume.array)).sum())
        raise InputError(f"{path}: {bad} voxels are NaN or infinite; repair or exclude this image.")
    if volume.array.min() == volume.array.max():
        raise InputError(f"{path}: {SAME_EVERYWHERE}")
    return volume


def load_scan(path: Path | str) -> Volume:
    """A 3D image as a scanner or a tool left it: some of its voxels may not be finite.

    Raises:
        InputError: as `load_grid`; also a truncated file, no finite voxel, one value only.
    """
    path = Path(path)
    volume = _read(path)
    finite = volume.array[np.isfinite(volume.array)]
    if not finite.size:
        raise InputError(
            f"{path}: {volume.array.size} voxels, which is all, are NaN or infinite; repair or "
            "exclude this image."
        )
    if finite.min() == finite.max():
        raise InputError(f"{path}: {SAME_EVERYWHERE}")
    return volume


def load_reference(path: Path | str) -> Volume:
    """An image to simulate views from; voxels that are not finite become 0, and it is logged.

    Raises:
        InputError: as `load_scan`, or more than half of the voxels are not finite.
    """
    volume = load_scan(path)
    holes = ~np.isfinite(volume.array)
    if holes.mean() > MAX_HOLES:
        raise InputError(
            f"{path}: {holes.sum()} of its {holes.size} voxels are NaN or infinite; repair or "
            "exclude this image."
        )
    if holes.any():
        log.warning(
            "%s: %d of its %d voxels are NaN or infinite and are taken as 0.",
            path,
            holes.sum(),
            holes.size,
        )
    return Volume(np.where(holes, np.float32(0), volume.array), volume.grid)


def load_segmentation(path: Path | str) -> Volume:
    """A segmentation as it is stored; unlike an image it may hold one value only.

    Raises:
        InputError: as `load_grid`, or a truncated file.
    """
    return _read(Path(path))


def load_mask(path: Path | str, grid: Grid) -> np.ndarray:
    """A segmentation as a bool array of shape `grid.shape`; voxels above one half are inside.

    One on another grid is resampled to that of its image, through both affines, by the nearest
    voxel; a note says so.

    Raises:
        InputError: as `load_grid`, or it is no mask, or lies beside its image.
    """
    path = Path(path)
    mask = load_segmentation(path)
    low, high = float(mask.array.min()), float(mask.array.max())
    between = (mask.array > low) & (mask.array < high)
    # Soft masks reach from 0 to 1; of others (0 and 255, say) two values are let pass.
    if not (low >= 0 and (high <= 1 or (high < np.inf and not between.any()))):
        raise InputError(
            f"{path}: is no mask (values from {low:g} to {high:g}); give a segmentation of 0 and 1."
        )
    if mask.grid.matches(grid):
        return mask.array > 0.5
    inside = nearest(mask, grid) > 0.5
    if not inside.any() and (mask.array > 0.5).any():
        raise InputError(f"{path}: lies beside its image; give a mask of the same place.")
    log.warning(
        "%s: is on another grid than its image (shape %s against %s, or another affine); it is "
        "resampled by the nearest voxel.",
        *(path, mask.grid.shape, grid.shape),
    )
    return inside


def save_volume(path: Path | str, array: np.ndarray, grid: Grid, dtype: str = "float32") -> None:
    """Write a NIfTI-1 image: whole or not at all, the same bytes for the same input.

    Args:
        array: shape `grid.shape`, original intensity units.
        dtype: on-disk type; nothing is rescaled.
    """
    stored = np.asarray(array, dtype=dtype).reshape(grid.shape)
    image = make_image(stored, grid.affine, grid.space)
    with atomic(path) as partial:
        nib.save(image, partial)


def _open(path: Path) -> tuple[nib.Nifti1Image, Grid]:
    """An image and its grid, from its header alone."""
    check_file(path)
    image = open_image(path)
    affine, space = affine_mm(image, path)
    return image, Grid(image.shape[:3], affine, space)


def _read(path: Path) -> Volume:
    image, grid = _open(path)
    try:
        check_whole(path, math.prod(grid.shape) * image.get_data_dtype().itemsize)
        with np.errstate(all="ignore"):  # what does not fit float32 becomes infinite, and is found
            array = np.asarray(image.dataobj, dtype=np.float32).reshape(grid.shape)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"{path}: is truncated or damaged ({first_line(error)}); fetch or copy it again."
        ) from error
    return Volume(array, grid)
