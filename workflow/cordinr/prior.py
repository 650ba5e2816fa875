"""What the INR is drawn to where the views leave it free: their total variation reconstruction.

The views decide about a third of a volume. To the rest each method adds its own idea of an image,
and total variation, which wants flat pieces with sharp edges, has a better one than a network
alone. Each point of a batch therefore costs its squared distance from that reconstruction, times a
weight so small that what the views say outweighs it.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from .acquisition import View
from .baselines import reconstruct_baseline
from .sampling import Stack
from .volume import Grid

WEIGHT = 0.001
"""Of the total variation where the views have no noise, for intensities of about [0, 1]."""

BLOCK = 1 << 20
"""Points whose positions are worked out at a time."""


def aimed(
    stacks: Sequence[Stack],
    views: Sequence[View],
    grid: Grid,
    centre: np.ndarray,
    scale: float,
    noise: float,
) -> list[Stack]:
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
    how = views, grid, "tv", WEIGHT + noise
    try:
        image = reconstruct_baseline(*how, device)
    except torch.OutOfMemoryError:
        print(
            "note: total variation is computed on the CPU, for want of GPU memory.", file=sys.stderr
        )
        torch.cuda.empty_cache()
        image = reconstruct_baseline(*how)
    volume = torch.as_tensor(image / np.float32(scale), device=device)
    to_index = np.linalg.inv(grid.affine)
    to_index[:3, 3] += to_index[:3, :3] @ centre
    rows = torch.as_tensor(to_index[:3], dtype=torch.float32, device=device)
    return [replace(stack, targets=_at_points(volume, rows, stack)) for stack in stacks]


def distance(intensity: Tensor, targets: Tensor) -> Tensor:
    """Sum over all points of the squared distance from the targets, where there are any.

    Args:
        intensity: (members, n, q).
        targets: (n, q), NaN where there are none.
    """
    return (intensity - targets).nan_to_num(0.0).square().sum()


def _at_points(volume: Tensor, to_index: Tensor, stack: Stack) -> Tensor:
    """The volume at the points of a stack by trilinear interpolation (n, q), NaN outside.

    `to_index` (3, 4) takes positions in mm to indices of the volume.
    """
    offsets = stack.offsets @ to_index[:, :3].T
    parts = []
    for centres in stack.centres.split(max(1, BLOCK // len(offsets))):
        index = (centres @ to_index[:, :3].T + to_index[:, 3])[:, None] + offsets
        parts.append(_trilinear(volume, index))
    return torch.cat(parts)


def _trilinear(volume: Tensor, index: Tensor) -> Tensor:
    """The volume at indices (n, q, 3); the outer half of its outermost voxels is flat."""
    size = torch.tensor(volume.shape, device=volume.device)
    # grid_sample takes the last axis first, -1 and 1 for the centres of the first and last voxel.
    place = (2 * index / (size - 1).clamp(min=1) - 1).flip(-1)
    found = grid_sample(
        volume[None, None], place[None, None], padding_mode="border", align_corners=True
    )[0, 0, 0]
    inside = ((index >= -0.5) & (index <= size - 0.5)).all(dim=-1)
    return found.where(inside, torch.nan)
