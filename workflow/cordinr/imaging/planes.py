"""Planes through volumes: where they lie in the world, and what of a volume they show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from .grid import Grid
from .volume import Volume

RIGHT, ANTERIOR, SUPERIOR = np.eye(3)
ZOOM_MM = 30.0
"""Width and height in mm of the zoomed planes of a figure."""

PIXELS = 360
"""Number of samples along the longer side of a plane; a little finer than the page."""


@dataclass(frozen=True, eq=False)
class PlaneCut:
    """A rectangle in world space: a row of a figure.

    Attributes:
        name: of the row.
        origin: (3,) mm, its middle.
        u: (3,) unit vector to the right of the picture.
        v: (3,) unit vector to the top of the picture.
        extent_mm: (2,) width and height.
        letters: directions at its left, right, bottom and top edge.
    """

    name: str
    origin: np.ndarray
    u: np.ndarray
    v: np.ndarray
    extent_mm: np.ndarray
    letters: str

    def sample(self, volume: Volume, order: int) -> np.ndarray:
        """A volume in this cut, as `plane`."""
        step_mm = self.extent_mm.max() / PIXELS
        return plane(volume, self.origin, self.u, self.v, self.extent_mm, step_mm, order)


def plane(
    volume: Volume,
    origin: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    extent_mm: Sequence[float] | np.ndarray,
    step_mm: float,
    order: int,
) -> np.ndarray:
    """A plane of a volume, sampled in world space.

    Args:
        volume: any grid, oblique or not.
        origin: (3,) world mm of the middle of the plane.
        u: (3,) unit vector to the right of the picture.
        v: (3,) unit vector to the top of the picture.
        extent_mm: width and height.
        step_mm: distance between samples, adjusted to fill the extent exactly.
        order: of the spline; 0 shows the voxels as they are.

    Returns:
        (height, width) float64, first row on top; NaN outside the field of view.
    """
    columns, rows = (max(1, round(length / step_mm)) for length in extent_mm)
    x = ((np.arange(columns) + 0.5) / columns - 0.5) * extent_mm[0]
    y = (0.5 - (np.arange(rows) + 0.5) / rows) * extent_mm[1]
    index = volume.grid.index(origin + x[:, None] * u + y[:, None, None] * v)
    at = np.moveaxis(index, -1, 0)
    values = map_coordinates(volume.array, at, output=float, order=order, mode="nearest")
    return np.where(volume.grid.contains(index), values, np.nan)


def cord_focus(grid: Grid, cord: np.ndarray | None) -> np.ndarray:
    """(3,) world mm of the middle of the cord at the height of its centre of mass.

    A curved cord does not contain its centre of mass, hence the second step. Without a mask (bool,
    shape `grid.shape`) it is the middle of the field of view.
    """
    if cord is None or not cord.any():
        return grid.centre
    inside = grid.world(np.argwhere(cord))
    distance = np.abs((inside - inside.mean(axis=0)) @ SUPERIOR)
    return inside[distance <= distance.min() + grid.voxel_sizes.max()].mean(axis=0)


def cuts(grid: Grid, focus: np.ndarray, zoom_mm: float = ZOOM_MM) -> list[PlaneCut]:
    """Sagittal and axial plane through `focus` (3,) mm, each whole, then as a zoom on it.

    Sagittal: superior up, anterior to the left. Axial: anterior up, the patient's right on the left
    (radiological). Both are planes of the world, whatever the axes of the grid.
    """
    result = []
    axes = (("Sagittal", -ANTERIOR, SUPERIOR, "APIS"), ("Axial", -RIGHT, ANTERIOR, "RLPA"))
    for name, u, v, letters in axes:
        low, high = _reach(grid, focus, u, v)
        size = np.minimum(zoom_mm, high - low)
        shift = np.clip(0, low + size / 2, high - size / 2)
        origins = focus + np.stack([(low + high) / 2, shift]) @ np.stack([u, v])
        result.append(PlaneCut(name, origins[0], u, v, high - low, letters))
        result.append(PlaneCut(f"{name}, zoom", origins[1], u, v, size, letters))
    return result


def _reach(grid: Grid, origin: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Where the field of view lies in a plane: (2, 2), lowest then highest mm along u and v.

    The cut of a box is spanned by the points where its edges and diagonals cross the plane.
    """
    corners = grid.corners - origin
    height = corners @ np.cross(u, v)
    below, above = np.nonzero((height[:, None] <= 0) & (height > 0))
    part = (height[below] / (height[below] - height[above]))[:, None]
    crossing = (1 - part) * corners[below] + part * corners[above]
    flat = crossing @ np.stack([u, v]).T
    return np.stack([flat.min(axis=0), flat.max(axis=0)])
