"""A view: a stack of thick slices, as a scanner or the simulator made it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    """

    volume: Volume
    axis: int
    profile: SliceProfile
    name: str = "view"
    measured: np.ndarray | None = None
    cropped: bool = False

    @property
    def voxels(self) -> np.ndarray:
        """(n,) the measured voxels."""
        array = self.volume.array
        return array.ravel() if self.measured is None else array[self.measured]

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit vector across the slices, in world space."""
        return self.volume.grid.directions[:, self.axis]

    def is_parallel_to(self, other: "View") -> bool:
        """Whether the slices of both scans have about the same direction."""
        return bool(abs(self.normal @ other.normal) > PARALLEL_COSINE)

    def offsets(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The profile's sample points as world offsets (n, 3) in mm, and their weights (n,)."""
        distance, weights = self.profile.samples(n)
        return distance[:, None] * self.normal, weights


def intensity_scale(views: Sequence[View]) -> float:
    """The intensity that counts as 1, a high percentile of the absolute voxels of all views."""
    voxels = np.concatenate([np.abs(view.voxels) for view in views])
    return float(np.percentile(voxels, INTENSITY_PERCENTILE)) or float(voxels.max())
