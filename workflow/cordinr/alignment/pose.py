"""Rigid displacements: where a stack really is, seen from where its header puts it."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..imaging.grid import Grid
from ..imaging.volume import Volume


@dataclass(frozen=True, eq=False)
class Pose:
    """A rotation about a centre, then a translation.

    Attributes:
        centre: (3,) world mm about which the stack is turned.
        rotation: (3,) rotation vector in radians: its direction is the axis, its length the angle.
        translation: (3,) mm.
    """

    centre: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """(4, 4) world mm by the header to true world mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = Rotation.from_rotvec(self.rotation).as_matrix()
        matrix[:3, 3] = self.centre + self.translation - matrix[:3, :3] @ self.centre
        return matrix

    @property
    def is_rest(self) -> bool:
        """Whether the stack lies where its header puts it."""
        return not (self.rotation.any() or self.translation.any())

    @property
    def millimetres(self) -> float:
        """Length of the translation."""
        return float(np.linalg.norm(self.translation))

    @property
    def degrees(self) -> float:
        """Angle of the rotation."""
        return float(np.degrees(np.linalg.norm(self.rotation)))

    def move_volume(self, volume: Volume) -> Volume:
        """An image put where it really is."""
        grid = Grid(volume.grid.shape, self.matrix @ volume.grid.affine, volume.grid.space)
        return Volume(volume.array, grid)
