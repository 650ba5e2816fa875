"""Volumes in millimetres: load, check and save NIfTI; grids and their world coordinates."""

import os
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from .errors import InputError
from .files import atomic

ANATOMICAL_AXES = ("R", "A", "S")
"""The world axes of NIfTI: to the right, to the front (anterior), upwards (superior)."""

ANNEX_MARK = b"/annex/objects/"
"""What an unfetched git-annex file contains; `exists()` and `islink()` do not tell."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of an image are.

    Attributes:
        shape: voxels along the three array axes.
        affine: (4, 4) float64, array index to world millimetres (R-A-S+).
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

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
        """
        extent = np.array(self.shape) * self.voxel_sizes
        shape = np.ceil(extent / voxel_mm - 1e-3).astype(int)
        affine = np.eye(4)
        affine[:3, :3] = self.directions * voxel_mm
        affine[:3, 3] = self.centre - affine[:3, :3] @ ((shape - 1) / 2)
        return Grid(tuple(int(n) for n in shape), affine)


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
    return _grid(_open(Path(path)), Path(path))


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
        raise InputError(
            f"{path}: every voxel has the same value; there is nothing to reconstruct."
        )
    return volume


def load_segmentation(path: Path | str) -> Volume:
    """A segmentation as it is stored; unlike an image it may hold one value only.

    Raises:
        InputError: as `load_grid`, or a truncated file.
    """
    return _read(Path(path))


def load_mask(path: Path | str, grid: Grid) -> np.ndarray:
    """A segmentation as a bool array of shape `grid.shape`; voxels above one half are inside.

    Raises:
        InputError: as `load_grid`, or the mask stands on another grid.
    """
    path = Path(path)
    mask = load_segmentation(path)
    if not mask.grid.matches(grid):
        raise InputError(
            f"{path}: the mask is not on the grid of its image (shape {mask.grid.shape} against "
            f"{grid.shape}, or another affine); resample it to the image."
        )
    return mask.array > 0.5


def save_volume(path: Path | str, array: np.ndarray, grid: Grid, dtype: str = "float32") -> None:
    """Write a NIfTI-1 image: whole or not at all, the same bytes for the same input.

    Args:
        array: shape `grid.shape`, original intensity units.
        dtype: on-disk type; nothing is rescaled.
    """
    image = nib.Nifti1Image(np.asarray(array, dtype=dtype).reshape(grid.shape), grid.affine)
    image.set_sform(grid.affine, code="scanner")
    image.set_qform(grid.affine, code="scanner")
    image.header.set_xyzt_units("mm")
    with atomic(path) as partial:
        nib.save(image, partial)


def is_annex_pointer(path: Path) -> bool:
    """Whether a file stands for git-annex content that was not fetched."""
    if path.is_symlink() and not path.exists():
        return ANNEX_MARK in os.fsencode(os.readlink(path))
    try:
        with open(path, "rb") as stream:
            return ANNEX_MARK in stream.read(200)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the file.") from error


def _open(path: Path) -> nib.Nifti1Image:
    if not os.path.lexists(path):
        raise InputError(f"{path}: no such file; check the path.")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give a NIfTI image.")
    if is_annex_pointer(path):
        raise InputError(
            f"{path}: its content was never fetched (a git-annex pointer); run `datalad get` on it."
        )
    try:
        image = nib.load(path)
    except Exception as error:
        raise InputError(
            f"{path}: is not a readable NIfTI image ({_first_line(error)}); replace the file."
        ) from error
    if not isinstance(image, nib.Nifti1Image):
        raise InputError(f"{path}: is {type(image).__name__}, not NIfTI; convert it first.")
    return image


def _grid(image: nib.Nifti1Image, path: Path) -> Grid:
    shape = image.shape[:3] if all(n == 1 for n in image.shape[3:]) else image.shape
    if len(shape) != 3:
        raise InputError(f"{path}: has {len(shape)} dimensions {shape}; give a 3D image.")
    affine = np.array(image.affine, float)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError(f"{path}: its affine is singular or not finite; repair the header.")
    return Grid(tuple(int(n) for n in shape), affine)


def _read(path: Path) -> Volume:
    image = _open(path)
    grid = _grid(image, path)
    try:
        array = np.asarray(image.dataobj, dtype=np.float32).reshape(grid.shape)
    except Exception as error:
        raise InputError(
            f"{path}: is truncated or damaged ({_first_line(error)}); fetch or copy it again."
        ) from error
    return Volume(array, grid)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
