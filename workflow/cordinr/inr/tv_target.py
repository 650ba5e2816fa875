"""The target of the INR where the views leave it free: their total variation reconstruction.

The views decide about a third of a volume. To the rest each method adds its own idea of an image,
and total variation, which wants flat pieces with sharp edges, has a better one than a network
alone. Each point of a batch therefore costs its squared distance from that reconstruction, times a
weight so small that what the views say outweighs it; or the fit begins at the reconstruction.
"""

from collections.abc import Sequence

import numpy as np
import torch

from ..acquisition.coarsening import coarsened
from ..acquisition.overlap import Field
from ..acquisition.view import View
from ..classical.reconstruct import regularised
from ..imaging.grid import Grid
from .device import on_device_or_cpu
from .target_image import TargetImage

TV_TARGET_WEIGHT = 0.001
"""Weight of the total variation in a target where the views have no noise, for intensities of about
[0, 1]. A start has more, `automatic_weight`, as less is added to it."""

START_WEIGHT = 0.1
"""Least weight of the squared distance from an image that a fit begins at."""

START_ERROR = 0.02
"""Error that the image is taken to have where a fit begins at it, in units of the intensity scale.
What it lacks weighs as much against the errors at the views as their noise weighs against it."""

MAX_ENTRIES = 1.5e7
"""Maximum number of entries of the system matrices of the target, which take 16 bytes each."""

MAX_VOXELS = 8e6
"""Maximum number of voxels of the target."""

MAX_VOXELS_ALONE = 2.5e6
"""The same where all slices have one direction, between which there is no detail to be kept."""


def start_weight(noise: float) -> float:
    """Weight of the squared distance from a start, for the noise variance of the views.

    Args:
        noise: variance, in units of the intensity scale squared.
    """
    return max(START_WEIGHT, noise / START_ERROR**2)


def target_grid(views: Sequence[View], grid: Grid) -> tuple[list[View], Grid, float]:
    """On which voxels a target is computed: coarser ones where views are oblique and large.

    Args:
        views: to reconstruct from.
        grid: around the covered field.

    Returns:
        The views, their voxels averaged where those of the grid are much longer; the grid; and the
        factor on its voxels.
    """
    alone = all(view.is_parallel_to(views[0]) for view in views)
    return coarsened(views, grid, MAX_ENTRIES, MAX_VOXELS_ALONE if alone else MAX_VOXELS)


def tv_target(
    views: Sequence[View],
    grid: Grid,
    *,
    scale: float,
    weight: float,
    device: torch.device,
    field: Field = "crossed",
) -> TargetImage:
    """The total variation reconstruction of the views, as a target or a start of a fit.

    Args:
        views: to reconstruct from.
        grid: of the reconstruction.
        scale: intensity in the views' units that is 1 in the image.
        weight: of the total variation.
        device: where it is computed, or the CPU where the memory of a GPU is too small.
        field: that the reconstruction covers.

    Raises:
        InputError: the views hold intensities that are too large for total variation.
    """
    image = on_device_or_cpu(
        lambda device: regularised(views, grid, weight, device, field), device, "total variation"
    )
    return TargetImage(torch.as_tensor(image / np.float32(scale), device=device), grid)
