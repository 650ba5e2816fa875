"""The target of the INR where the views leave it free: their total variation reconstruction.

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

from ..acquisition.coarsening import coarsened
from ..acquisition.overlap import Field
from ..acquisition.view import View
from ..classical.reconstruct import reconstruct_baseline
from ..imaging.grid import Grid
from .point_groups import PointGroup

log = logging.getLogger(__name__)

TV_TARGET_WEIGHT = 0.001
"""Weight of the total variation in the target where the views have no noise, for intensities of
about [0, 1]."""

MAX_ENTRIES = 1.5e7
"""Maximum number of entries of the system matrices of the target, which take 16 bytes each."""

MAX_VOXELS = 8e6
"""Maximum number of voxels of the target."""

MAX_VOXELS_ALONE = 2.5e6
"""The same where all slices have one direction, between which there is no detail to be kept."""


def with_tv_targets(
    groups: Sequence[PointGroup],
    views: Sequence[View],
    grid: Grid,
    *,
    centre: np.ndarray,
    scale: float,
    noise_weight: float,
    field: Field = "crossed",
) -> list[PointGroup]:
    """The groups with the intensities that their points are drawn to.

    Args:
        groups: of the views; the reconstruction is computed on their device.
        views: to reconstruct from.
        grid: of the reconstruction, around the covered field; where the views are oblique to it and
            large, a coarser one over the same field is taken.
        centre: (3,) world mm that is the origin of the groups.
        scale: intensity that is 1 in the groups.
        noise_weight: additional weight of the total variation, for the noise of the views.
        field: that the reconstruction covers.

    Returns:
        Groups whose `targets` are set, NaN outside the grid.

    Raises:
        InputError: the views hold intensities that are too large for total variation.
    """
    device = groups[0].values.device
    alone = all(view.is_parallel_to(views[0]) for view in views)
    max_voxels = MAX_VOXELS_ALONE if alone else MAX_VOXELS
    views, grid, factor = coarsened(views, grid, MAX_ENTRIES, max_voxels)
    if factor > 1:
        log.info("total variation is computed on voxels of %.2g mm.", grid.voxel_sizes[0])
    image = _reconstruct(views, grid, TV_TARGET_WEIGHT + noise_weight, device, field)
    volume = torch.as_tensor(image / np.float32(scale), device=device)

    def at_points(group: PointGroup) -> Tensor:
        return torch.cat([_interpolate(volume, each, grid) for each in group.indices(grid, centre)])

    return [replace(group, targets=at_points(group)) for group in groups]


def _reconstruct(
    views: Sequence[View], grid: Grid, weight: float, device: torch.device, field: Field
) -> np.ndarray:
    """Total variation on the device, or on the CPU where the GPU's memory is too small."""
    try:
        return reconstruct_baseline(views, grid, "tv", weight, device, field)
    except torch.OutOfMemoryError:
        pass
    # Outside of `except`: the traceback of the error would keep the GPU's tensors alive.
    torch.cuda.empty_cache()
    log.warning("total variation is computed on the CPU, for want of GPU memory.")
    return reconstruct_baseline(views, grid, "tv", weight, field=field)


def _interpolate(volume: Tensor, index: Tensor, grid: Grid) -> Tensor:
    """A volume at indices (n, q, 3) of its grid, trilinearly; (n, q), NaN outside.

    Within half a voxel of the edge the volume is constant along the axis.
    """
    last = index.new_tensor(grid.shape) - 1
    # grid_sample takes the last axis first, -1 and 1 for the centres of the first and last voxel.
    place = (2 * index / last.clamp(min=1) - 1).flip(-1)
    sampled = grid_sample(
        volume[None, None], place[None, None], padding_mode="border", align_corners=True
    )
    return sampled[0, 0, 0].where(grid.contains(index), torch.nan)
