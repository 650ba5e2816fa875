"""What views say, as channels on one grid: of any number, thickness, profile, gap, tilt and voxel.

Every channel belongs to an axis of the grid or to none, so that images can be turned and mirrored
with all that is known of them. The scales come from the views alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
import torch

from ..acquisition.noise import excess_noise
from ..acquisition.overlap import Field
from ..acquisition.view import View, intensity_scale
from ..classical.reconstruct import regularised
from ..classical.straightened import straightened
from ..imaging.grid import Grid
from ..imaging.resampling import interpolate

TV_WEIGHT = 0.001
"""Weight of the total variation where the views have no noise, for intensities of about [0, 1]."""

TV_SMOOTHING = 6.0
"""Additional weight of the total variation in units of the noise variance of the views."""

SHARED, PER_AXIS = 2, 4
"""How many channels belong to no axis, and to each of the three axes."""

CHANNELS = SHARED + 3 * PER_AXIS
"""Number of channels: total variation; noise; and for each axis of the grid, of the views across
it: cubic interpolation less total variation, the thickness of slices, the distance between them,
and where between two slice centres a voxel lies."""

THICKNESS_UNIT = 5.0
"""Voxels of slice thickness and of slice spacing that count as 1."""

NOISE_UNIT = 0.05
"""Standard deviation of the noise, in units of the intensity scale, that counts as 1."""

MIN_SPREAD = 1e-3
"""Smallest spread, in units of the intensity scale."""


@dataclass(frozen=True, eq=False)
class Features:
    """What views say on a grid.

    Attributes:
        channels: float32 (CHANNELS, x, y, z), of about 1.
        variation: float32 (x, y, z), total variation in the units of the views.
        scale: intensity of the views that counts as 1.
        spread: root mean square of what the views say beyond total variation, in the units of the
            views: the unit of corrections.
    """

    channels: np.ndarray
    variation: np.ndarray
    scale: float
    spread: float


def tv_weight(views: Sequence[View], scale: float) -> float:
    """The weight of total variation that the noise of the views asks for."""
    return TV_WEIGHT + TV_SMOOTHING * excess_noise(views, scale)


def view_features(
    views: Sequence[View],
    grid: Grid,
    device: torch.device | str = "cpu",
    field: Field = "crossed",
    variation: np.ndarray | None = None,
) -> Features:
    """What views say on a grid.

    Args:
        views: at least one.
        grid: isotropic, about as fine as the views are in their planes.
        device: where total variation is computed.
        field: in which the views have to overlap.
        variation: total variation on the grid at the weight of `tv_weight`, where it is there.

    Raises:
        InputError: as `reconstruct_baseline`.
    """
    scale = intensity_scale(views)
    if variation is None:
        weight = tv_weight(views, scale)
        variation = regularised(views, grid, weight, device, field)
    channels = np.zeros((CHANNELS, *grid.shape), np.float32)
    axes = [nearest_axis(view, grid) for view in views]
    said = [_said(view, grid, variation) for view in views]
    squares = sum(_square(each[0]) for each in said)
    count = sum(int((each[1] > 0).sum()) for each in said)
    spread = max(float(np.sqrt(squares / max(1, count))), MIN_SPREAD * scale)
    channels[0] = variation / scale
    channels[1] = np.sqrt(excess_noise(views, scale)) / NOISE_UNIT
    for axis in range(3):
        along = [each for each, own in zip(said, axes, strict=True) if own == axis]
        if not along:
            continue
        total = sum(each[1] > 0 for each in along)
        mean = sum(along) / np.maximum(total, 1)
        mean[0] /= spread
        channels[axis_channels(axis)] = mean
    return Features(channels, variation, scale, spread)


def axis_channels(axis: int) -> slice:
    """The channels that belong to an axis of the grid."""
    return slice(SHARED + axis * PER_AXIS, SHARED + (axis + 1) * PER_AXIS)


def nearest_axis(view: View, grid: Grid) -> int:
    """The axis of a grid that is nearest to the normal of a view's slices."""
    return int(np.abs(grid.directions.T @ view.normal).argmax())


def view_kind(view: View, grid: Grid) -> tuple[float, float]:
    """Thickness of the slices of a view, and the distance between them, in voxels of a grid."""
    voxel = float(grid.voxel_sizes[nearest_axis(view, grid)])
    return view.profile.thickness / voxel, view.spacing / voxel


def _square(values: np.ndarray) -> float:
    return float(np.sum(np.square(values, dtype=np.float64)))


def _said(view: View, grid: Grid, variation: np.ndarray) -> np.ndarray:
    """The channels of one view, (PER_AXIS, x, y, z), zero where it was not measured.

    The difference from total variation is in the units of the view, the rest as in `CHANNELS`.
    """
    voxel = float(grid.voxel_sizes[nearest_axis(view, grid)])
    # That of the box which is as wide, by its variance, as the slice profile.
    thickness = np.sqrt(12 * view.profile.variance) / voxel / THICKNESS_UNIT
    distance = view.spacing
    view = straightened(view)
    said = np.zeros((PER_AXIS, grid.size), np.float32)
    beyond = (interpolate(view.volume, grid) - variation).reshape(-1)
    step = view.spacing / distance
    for block, centres in grid.blocks():
        index = view.volume.grid.index(centres)
        inside = view.volume.grid.contains(index)
        if view.measured is not None:
            near = scipy.ndimage.map_coordinates(
                view.measured.astype(np.float32), index.T, order=0, mode="nearest"
            )
            inside &= near > 0
        # A straightened stack has several planes between two slices, the first set half a spacing
        # before the first slice.
        place = index[:, view.axis] * step + (step - 1) / 2
        said[0, block] = beyond[block] * inside
        said[1, block] = thickness * inside
        said[2, block] = distance / voxel / THICKNESS_UNIT * inside
        said[3, block] = np.cos(2 * np.pi * place) * inside
    return said.reshape(PER_AXIS, *grid.shape)
