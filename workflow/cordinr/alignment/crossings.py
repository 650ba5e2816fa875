"""Lines on which the slices of two stacks cross, and what both stacks show there.

A slice of one stack, blurred in its plane by the slice profile of the other stack, and a slice of
the other stack, blurred by the profile of the first, show the same on the line where both slices
cross: the object blurred by both profiles. Nothing has to be reconstructed to compare two stacks.

Kim et al., "Intersection based motion correction of multislice MRI for 3-D in utero fetal brain
image formation", IEEE Transactions on Medical Imaging 29, 2010, compare slices on such lines; the
blur by the profile of the other stack is added here for thick slices.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..acquisition.profile import SliceProfile
from ..acquisition.view import View
from ..imaging.grid import Grid
from .mask import Mask

MIN_MEASURED = 0.99
"""Fraction of a blurred voxel that has to be measured for it to count."""


@dataclass(frozen=True, eq=False)
class BlurredStack:
    """A stack as the other stack of a crossing has to be compared with it.

    Attributes:
        array: slices, blurred in the plane, float32.
        known: 1 where `array` depends on measured voxels alone, else 0; None for 1 everywhere.
        grid: by the header.
        axis: array axis across the slices.
        shifts: (slices, 3) world mm by which each slice lies elsewhere once the stack is displaced;
            None for none.
    """

    array: np.ndarray
    known: np.ndarray | None
    grid: Grid
    axis: int
    shifts: np.ndarray | None = None

    @classmethod
    def of(cls, view: View, other: View, blur_mm: float) -> "BlurredStack":
        """A view, blurred along the normal of another one by its profile, and by a Gaussian.

        Args:
            view: to be blurred.
            other: whose slice profile counts.
            blur_mm: standard deviation of a Gaussian in the plane of the slices; 0 for none.
        """
        grid, axis = view.volume.grid, view.axis
        in_plane = [k for k in range(3) if k != axis]
        along = max(in_plane, key=lambda k: abs(grid.directions[:, k] @ other.normal))
        weights = profile_weights(other.profile, float(grid.voxel_sizes[along]))
        sigmas = [0.0 if k == axis else blur_mm / grid.voxel_sizes[k] for k in range(3)]

        def blur(array: np.ndarray) -> np.ndarray:
            array = ndimage.convolve1d(array, weights, axis=along, mode="nearest")
            return ndimage.gaussian_filter(array, sigmas, mode="nearest") if blur_mm else array

        array = blur(view.volume.array.astype(np.float32))
        known = None
        if view.measured is not None:
            known = (blur(view.measured.astype(np.float32)) > MIN_MEASURED).astype(np.float32)
        return cls(array, known, grid, axis, view.shifts)

    def place(self, matrix: np.ndarray) -> Grid:
        """The grid of the stack displaced by `matrix` (4, 4)."""
        return Grid(self.grid.shape, matrix @ self.grid.affine)

    def sample(
        self, world: np.ndarray, matrix: np.ndarray, slices: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Intensities of slices of a stack displaced by `matrix` (4, 4).

        Args:
            world: (n, 3) mm, in the slices.
            matrix: displacement of the stack.
            slices: (n,) numbers of the slices.

        Returns:
            (n,) by linear interpolation, 0 outside of the stack, and (n,) bool: what is inside.
        """
        grid = self.place(matrix)
        index = grid.index(world if self.shifts is None else world - self.shifts[slices])
        # Between the centres of voxels: the outer half of a voxel has no neighbour.
        inside = grid.contains(index, (-0.5, -0.5, -0.5))
        values = np.zeros(len(world), np.float32)
        at = index[inside].T
        values[inside] = ndimage.map_coordinates(self.array, at, order=1, mode="nearest")
        if self.known is not None:
            known = ndimage.map_coordinates(self.known, at, order=1, mode="nearest")
            inside[inside] = known > MIN_MEASURED
            values[~inside] = 0
        return values, inside


@dataclass(frozen=True, eq=False)
class Crossing:
    """Two stacks whose slices cross.

    Attributes:
        numbers: of both stacks among all.
        stacks: both, blurred for each other.
        along: (m,) positions in mm along a line.
        chosen: (n,) numbers of the positions that are compared, counted through all lines.
    """

    numbers: tuple[int, int]
    stacks: tuple[BlurredStack, BlurredStack]
    along: np.ndarray
    chosen: np.ndarray

    @classmethod
    def of(
        cls,
        views: tuple[View, View],
        numbers: tuple[int, int],
        matrices: tuple[np.ndarray, np.ndarray],
        *,
        blur_mm: float,
        step_mm: float,
        points: int,
        margin_mm: float,
        mask: Mask | None = None,
    ) -> "Crossing":
        """The crossing of two views.

        Args:
            views: whose slices are not parallel.
            numbers: theirs among all views.
            matrices: (4, 4) displacement of each, as far as it is known.
            blur_mm: standard deviation of a Gaussian in the plane of the slices.
            step_mm: distance between points along a line.
            points: about how many points within both stacks are compared.
            margin_mm: by how much the displacements may still be wrong; points so far outside of a
                stack are compared as well once they come to lie within.
            mask: what is compared; None for everything.
        """
        one, other = views
        stacks = BlurredStack.of(one, other, blur_mm), BlurredStack.of(other, one, blur_mm)
        small = min(np.ptp(stack.grid.corners, axis=0).max() for stack in stacks)
        half = np.sqrt(3) / 2 * small + margin_mm
        along = np.arange(-half, half, step_mm)
        lines = one.volume.grid.shape[one.axis] * other.volume.grid.shape[other.axis]
        every = cls(numbers, stacks, along, np.arange(lines * len(along)))
        world = every.points(*matrices)
        near = np.ones(len(world), bool)
        within = np.ones(len(world), bool)
        for stack, matrix in zip(stacks, matrices, strict=True):
            index = stack.place(matrix).index(world)
            near &= stack.grid.contains(index, margin_mm / stack.grid.voxel_sizes)
            within &= stack.grid.contains(index)
        if mask is not None:
            near &= mask.within(world, margin_mm)
            within &= mask.within(world, 0.0)
        keep = max(1, int(within.sum()) // points)
        return cls(numbers, stacks, along, np.flatnonzero(near)[::keep])

    def compare(
        self, matrix: np.ndarray, other_matrix: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What both stacks show on their lines, displaced by (4, 4) matrices each.

        Returns:
            (n,) intensities of the first and of the second stack, and (n,) bool: where both were
            measured.
        """
        one, other = self.stacks
        world, (here, there) = self.points(matrix, other_matrix), self.slices
        values, inside = one.sample(world, matrix, here)
        others, within = np.zeros_like(values), np.zeros_like(inside)
        others[inside], within[inside] = other.sample(world[inside], other_matrix, there[inside])
        return values, others, within

    @property
    def slices(self) -> np.ndarray:
        """(2, n) numbers of the slices of both stacks on whose line each chosen point lies."""
        line = self.chosen // len(self.along)
        other = self.stacks[1]
        return np.stack(np.divmod(line, other.grid.shape[other.axis]))

    def points(self, matrix: np.ndarray, other_matrix: np.ndarray) -> np.ndarray:
        """(n, 3) world mm of the chosen points, on the lines of displaced slices."""
        heights, normals, middles = [], [], []
        for stack, moved in zip(self.stacks, (matrix, other_matrix), strict=True):
            grid = stack.place(moved)
            normal = grid.directions[:, stack.axis]
            count, spacing = grid.shape[stack.axis], grid.voxel_sizes[stack.axis]
            height = normal @ grid.centre + (np.arange(count) - (count - 1) / 2) * spacing
            heights.append(height if stack.shifts is None else height + stack.shifts @ normal)
            normals.append(normal)
            middles.append(grid.centre)
        direction = np.cross(normals[0], normals[1])
        direction /= np.linalg.norm(direction)
        extents = [np.ptp(stack.grid.corners, axis=0).max() for stack in self.stacks]
        middle = middles[int(np.argmin(extents))]
        rows = [each.ravel() for each in np.meshgrid(*heights, indexing="ij")]
        rows.append(np.full(len(rows[0]), direction @ middle))
        base = np.linalg.solve(np.stack([*normals, direction]), np.stack(rows)).T
        line, place = np.divmod(self.chosen, len(self.along))
        return base[line] + self.along[place, None] * direction


def profile_weights(profile: SliceProfile, voxel: float) -> np.ndarray:
    """(odd number,) weights of a slice profile at voxels of `voxel` mm, which sum to one."""
    reach = int(np.ceil(profile.extent / 2 / voxel + 0.5))
    weights = profile.voxel_weights(np.arange(-reach, reach + 1) * voxel, voxel)
    return weights / weights.sum()
