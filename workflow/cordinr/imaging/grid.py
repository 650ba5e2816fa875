"""Where the voxels of an image are in the world."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import nibabel as nib
import numpy as np

from ..errors import InputError
from .nifti import SCANNER, VOXEL_LIMITS_MM

ANATOMICAL_AXES = ("R", "A", "S")
"""The world axes of NIfTI: to the right, to the front (anterior), upwards (superior)."""

EDGE_TOLERANCE = 1e-3
"""Fraction of a voxel by which a position may lie beyond the edge of a grid and still count as
inside, as affines are rounded when they are stored."""

VOXELS_PER_BLOCK = 1 << 20
"""Number of voxels whose positions are held in memory at a time."""


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
        stop = self.size if stop is None else min(stop, self.size)
        length = self.shape[2]
        first, last = start // length, -(-stop // length)
        rows = np.stack(np.unravel_index(np.arange(first, last), self.shape[:2]), -1)
        begins = rows @ self.affine[:3, :2].T + self.affine[:3, 3]
        centres = begins[:, None] + np.arange(length)[:, None] * self.affine[:3, 2]
        return centres.reshape(-1, 3)[start - first * length : stop - first * length]

    def blocks(self, voxels: int = VOXELS_PER_BLOCK) -> Iterator[tuple[slice, np.ndarray]]:
        """The voxels in C order, at most `voxels` at a time, so that memory suffices.

        Yields:
            The flat indices of a block, as a slice, and the world millimetres of its voxel
            centres, (n, 3) float64.
        """
        for start in range(0, self.size, voxels):
            block = slice(start, min(start + voxels, self.size))
            yield block, self.centres(block.start, block.stop)

    def contains(self, index: Any, margin: Any = (0.0, 0.0, 0.0)) -> Any:
        """Which fractional array indices lie within the field of view, up to `EDGE_TOLERANCE`.

        Args:
            index: (..., 3), a NumPy array or a torch tensor.
            margin: (3,) voxels by which the field of view is extended along each axis.

        Returns:
            bool (...), of the same kind as `index`.
        """
        inside = []
        for axis, (count, extra) in enumerate(zip(self.shape, margin, strict=True)):
            reach = 0.5 + float(extra) + EDGE_TOLERANCE
            position = index[..., axis]
            inside.append((position >= -reach) & (position <= count - 1 + reach))
        return inside[0] & inside[1] & inside[2]

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

    def cropped(self, low: np.ndarray, shape: np.ndarray) -> "Grid":
        """The part of the grid that begins at voxel `low` (3,) and has `shape` (3,) voxels."""
        affine = self.affine.copy()
        affine[:3, 3] = self.world(low)
        return Grid(_as_shape(shape), affine, self.space)

    def resampled(self, voxel_mm: float) -> "Grid":
        """An isotropic grid over the same field of view, along the same axes.

        The centre is kept; where the extent is not a multiple of `voxel_mm`, the outer voxels
        reach beyond the field of view on both sides by less than half a voxel.

        Raises:
            InputError: no such voxels can be.
        """
        low, high = VOXEL_LIMITS_MM
        if not low <= voxel_mm <= high:
            raise InputError(f"voxels of {voxel_mm:g} mm cannot be; choose {low:g} to {high:g} mm.")
        extent = np.array(self.shape) * self.voxel_sizes
        return Grid.isotropic(self.centre, self.directions, extent, voxel_mm, "up", self.space)

    @classmethod
    def isotropic(
        cls,
        centre: np.ndarray,
        directions: np.ndarray,
        extent_mm: np.ndarray,
        voxel_mm: float,
        rounding: Literal["up", "down", "nearest"],
        space: int = SCANNER,
    ) -> "Grid":
        """A grid of cubic voxels about a centre.

        Args:
            centre: (3,) world millimetres of the middle of its field of view.
            directions: (3, 3) unit vectors in world space; column k is array axis k.
            extent_mm: (3,) millimetres to fill along each array axis.
            voxel_mm: edge of a voxel.
            rounding: whether an extent that is not a multiple of `voxel_mm` is exceeded ("up"), not
                reached ("down"), or approximated by the nearest number of voxels.
            space: NIfTI's code of the world.
        """
        voxels = np.asarray(extent_mm, float) / voxel_mm
        if rounding == "up":
            voxels = np.ceil(voxels - EDGE_TOLERANCE)
        elif rounding == "down":
            voxels = np.floor(voxels + EDGE_TOLERANCE)
        shape = np.maximum(1, np.rint(voxels)).astype(int)
        affine = np.eye(4)
        affine[:3, :3] = directions * voxel_mm
        affine[:3, 3] = centre - affine[:3, :3] @ ((shape - 1) / 2)
        return cls(_as_shape(shape), affine, space)


def _as_shape(counts: np.ndarray) -> tuple[int, int, int]:
    first, second, third = (int(count) for count in counts)
    return first, second, third
