"""A view: a stack of thick slices, as a scanner or the simulator made it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..imaging.grid import VOXELS_PER_BLOCK, Grid
from ..imaging.volume import Volume
from .profile import SliceProfile

INTENSITY_PERCENTILE = 99.0
"""Percentile of the absolute voxels of all views that counts as intensity 1."""

PARALLEL_COSINE = np.cos(np.radians(30))
"""Cosine of the angle between two slice normals above which two scans count as parallel."""


@dataclass(frozen=True, eq=False)
class View:
    """A stack of thick slices.

    Attributes:
        volume: the slices as an image; spacing between slices is its voxel size along `axis`.
        axis: array axis along which slices follow each other.
        profile: of each slice.
        name: for messages, normally its path.
        measured: bool, shape of the volume: voxels to be fitted; None for all of them. The others
            hold a value for interpolation only.
        cropped: whether padding was cut off; nothing is reconstructed beyond cropped views.
        trust: (slices,) weights from 0 to 1 of the squared errors of each slice; None for 1.
        shifts: (slices, 3) world mm by which each slice lies elsewhere than the volume's grid says;
            None for none.
        disagreement: median difference from the other scans where they show the same, as a
            fraction of the intensity; 0 where it is no more than noise explains, or not known.
        lost: float32, shape of the volume: what linear interpolation takes from each voxel, which
            the voxels here are without, so that they are what the system matrix gives; None where
            the view lies on the grid of the reconstruction, or it was not asked.
        interpolation_error: float32, likewise: standard deviation of what is wrong with that.
    """

    volume: Volume
    axis: int
    profile: SliceProfile
    name: str = "view"
    measured: np.ndarray | None = None
    cropped: bool = False
    trust: np.ndarray | None = None
    shifts: np.ndarray | None = None
    disagreement: float = 0.0
    lost: np.ndarray | None = None
    interpolation_error: np.ndarray | None = None

    @property
    def voxels(self) -> np.ndarray:
        """(n,) the measured voxels."""
        array = self.volume.array
        return array.ravel() if self.measured is None else array[self.measured]

    @property
    def sharp(self) -> np.ndarray:
        """The voxels, of the shape of the volume, as points that no interpolation has blurred."""
        array = self.volume.array
        return array if self.lost is None else array + self.lost

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit vector across the slices, in world space."""
        return self.volume.grid.directions[:, self.axis]

    @property
    def spacing(self) -> float:
        """Distance in mm from the centre of a slice to that of the next."""
        return float(self.volume.grid.voxel_sizes[self.axis])

    @property
    def in_plane(self) -> tuple[int, int]:
        """The two array axes in the plane of the slices."""
        one, other = (axis for axis in range(3) if axis != self.axis)
        return one, other

    def spread(self, per_slice: np.ndarray) -> np.ndarray:
        """Numbers (slices,) of the slices as an array that broadcasts to that of the voxels."""
        return per_slice.reshape([-1 if axis == self.axis else 1 for axis in range(3)])

    @property
    def voxel_trust(self) -> np.ndarray:
        """Weights of the squared errors of all voxels, of the shape of the volume."""
        trust = np.ones(self.volume.grid.shape[self.axis]) if self.trust is None else self.trust
        return np.broadcast_to(self.spread(trust), self.volume.grid.shape)

    def world(self, index: np.ndarray) -> np.ndarray:
        """True world mm (n, 3) of voxels, by their array indices (n, 3), whole across the slices.

        The grid of the volume knows nothing of slices that moved.
        """
        world = self.volume.grid.world(index)
        return world if self.shifts is None else world + self.shifts[index[:, self.axis]]

    def blocks(self, voxels: int = VOXELS_PER_BLOCK) -> Iterator[tuple[slice, np.ndarray]]:
        """The voxels as `Grid.blocks` gives them, with the true world mm of their centres."""
        for block, centres in self.volume.grid.blocks(voxels):
            if self.shifts is not None:
                flat = np.arange(block.start, block.stop)
                centres += self.shifts[np.unravel_index(flat, self.volume.grid.shape)[self.axis]]
            yield block, centres

    def slice_grid(self, number: int) -> Grid:
        """The grid of one slice, where it really is."""
        grid = self.volume.grid
        shape = np.array(grid.shape)
        shape[self.axis] = 1
        single = grid.cropped(number * np.eye(3)[self.axis], shape)
        if self.shifts is not None:
            single.affine[:3, 3] += self.shifts[number]
        return single

    def is_parallel_to(self, other: "View") -> bool:
        """Whether the slices of both scans have about the same direction."""
        return bool(abs(self.normal @ other.normal) > PARALLEL_COSINE)

    def offsets(self, n: int, fine_mm: float) -> tuple[np.ndarray, np.ndarray]:
        """Sample points that stand for a voxel: along the slice profile and in the plane.

        Args:
            n: number of points along the profile.
            fine_mm: an axis of the plane gets as many points as its voxel is times as long.

        Returns:
            World offsets (n * m, 3) in mm of the points from the centre of the voxel, those along
            the profile after each other for each of m places in the plane, and weights (n * m,)
            that sum to one.
        """
        grid = self.volume.grid
        distance, weights = self.profile.samples(n)
        places = np.zeros((1, 3))
        for axis in self.in_plane:
            size = grid.voxel_sizes[axis]
            count = max(1, int(size / fine_mm + 0.5))
            steps = ((np.arange(count) + 0.5) / count - 0.5) * size
            along = steps[:, None] * grid.directions[:, axis]
            places = (places[:, None] + along).reshape(-1, 3)
        points = places[:, None] + distance[:, None] * self.normal
        return points.reshape(-1, 3), np.tile(weights, len(places)) / len(places)


def intensity_scale(views: Sequence[View]) -> float:
    """The intensity that counts as 1, a high percentile of the absolute voxels of all views."""
    voxels = np.concatenate([np.abs(view.voxels) for view in views])
    return float(np.percentile(voxels, INTENSITY_PERCENTILE)) or float(voxels.max())
