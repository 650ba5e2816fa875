"""What the INR is drawn to where the views leave it free: their total variation reconstruction.

The views decide about a third of a volume. To the rest each method adds its own idea of an image,
and total variation, which wants flat pieces with sharp edges, has a better one than a network
alone. Each point of a batch therefore costs its squared distance from that reconstruction, times a
weight so small that what the views say outweighs it.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ..acquisition.view import View
from ..classical.reconstruct import reconstruct_baseline
from ..imaging.grid import Grid
from .point_groups import PointGroup, inside

log = logging.getLogger(__name__)

TV_TARGET_WEIGHT = 0.001
"""Of the total variation where the views have no noise, for intensities of about [0, 1]."""


def with_tv_targets(
    stacks: Sequence[PointGroup],
    views: Sequence[View],
    grid: Grid,
    centre: np.ndarray,
    scale: float,
    noise: float,
) -> list[PointGroup]:
    """The stacks with the intensities that their points are drawn to.

    Args:
        stacks: of the views; the reconstruction is made where they live.
        views: to reconstruct from.
        grid: of the reconstruction, the common one of the views.
        centre: (3,) world mm that is the origin of the stacks.
        scale: intensity that is 1 in the stacks.
        noise: weight of the total variation that the noise of the views asks for.

    Returns:
        Stacks whose `targets` are set, NaN outside the grid.
    """
    device = stacks[0].values.device
    how = views, grid, "tv", TV_TARGET_WEIGHT + noise
    try:
        image = reconstruct_baseline(*how, device)
    except torch.OutOfMemoryError:
        image = None  # and not here, where the error keeps what was on the GPU
    if image is None:
        torch.cuda.empty_cache()
        log.warning("total variation is computed on the CPU, for want of GPU memory.")
        image = reconstruct_baseline(*how)
    volume = torch.as_tensor(image / np.float32(scale), device=device)

    def at_points(stack: PointGroup) -> Tensor:
        return torch.cat([_at(volume, index, grid) for index in stack.indices(grid, centre)])

    return [replace(stack, targets=at_points(stack)) for stack in stacks]


def squared_distance_to_target(intensity: Tensor, targets: Tensor) -> Tensor:
    """Sum over all points of the squared distance from the targets, where there are any.

    Args:
        intensity: (members, n, q).
        targets: (n, q), NaN where there are none.
    """
    return (intensity - targets).nan_to_num(0.0).square().sum()


def _at(volume: Tensor, index: Tensor, grid: Grid) -> Tensor:
    """The volume at indices (n, q, 3) of its grid by trilinear interpolation (n, q), NaN outside.

    The outer half of its outermost voxels is flat.
    """
    last = index.new_tensor(grid.shape) - 1
    # grid_sample takes the last axis first, -1 and 1 for the centres of the first and last voxel.
    place = (2 * index / last.clamp(min=1) - 1).flip(-1)
    found = grid_sample(
        volume[None, None], place[None, None], padding_mode="border", align_corners=True
    )
    return found[0, 0, 0].where(inside(index, grid), torch.nan)
