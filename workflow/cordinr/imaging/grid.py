"""Where the voxels of an image are in the world."""

from dataclasses import dataclass

import nibabel as nib
import numpy as np

from ..errors import InputError
from .nifti import SCANNER, VOXEL_LIMITS_MM

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
