"""What a network has to learn from views: where, in which units, which points for which voxels."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..acquisition.domain import FitDomain
from ..acquisition.forward import with_whole_slices
from ..acquisition.noise import excess_noise
from ..acquisition.overlap import Field
from ..acquisition.view import View, intensity_scale
from ..classical.interpolation import matched
from ..classical.weights import automatic_weight
from ..errors import InputError
from ..prior.prior_file import Prior
from .budget import MAX_POINTS, MAX_POINTS_LEARNED, passes_of, points_of
from .device import free_memory
from .lattices import Lattice, lattices_for, lattices_within_budget
from .learned_target import FULL_PASSES, learned_target, learned_weight
from .network import Architecture, CoordinateNetwork
from .noise import points_per_voxel
from .point_groups import PointGroup, make_point_groups
from .settings import FitSettings
from .target_image import TargetImage, relative_to, with_targets
from .tv_target import TV_TARGET_WEIGHT, start_weight, target_grid, tv_target

log = logging.getLogger(__name__)

BYTES_PER_PARAMETER = 16
"""Memory in bytes for each number to learn: its weight, its gradient and Adam's two moments."""


@dataclass(frozen=True, eq=False)
class FitProblem:
    """What a network has to learn.

    Attributes:
        domain: that the views cover.
        centre: (3,) world mm that is the origin of the network's positions.
        scale: intensity in the views' units that the network calls 1.
        architecture: of the network.
        groups: the measured voxels, and the points that stand for them.
        smoothing_weight: of the total variation at the points, against the squared errors.
        target_weight: of the squared distance of the points from their targets, likewise.
        start: image that the fit begins at; the network learns what it lacks. None for nothing.
        error: standard error of the image that the points are drawn to, in units of `scale`; None
            where nobody says.
    """

    domain: FitDomain
    centre: np.ndarray
    scale: float
    architecture: Architecture
    groups: list[PointGroup]
    smoothing_weight: float
    target_weight: float
    start: TargetImage | None = None
    error: TargetImage | None = None


def prepare_fit(
    views: Sequence[View],
    fourier_dim: int,
    settings: FitSettings,
    device: torch.device,
    field: Field = "crossed",
    prior: Prior | None = None,
) -> FitProblem:
    """Turn views into a problem: where, in which units, and which points stand for which voxels.

    Args:
        views: at least one.
        fourier_dim: number of Fourier frequencies.
        settings: of the fit.
        device: where the tensors of the problem live.
        field: that the INR covers.
        prior: whose image of the views draws the points; None for their total variation.

    Raises:
        InputError: as `fit_inr`, but for the loss.
    """
    if fourier_dim < 1:
        raise InputError(f"Fourier dimension {fourier_dim} is not a positive whole number.")
    domain = FitDomain.of(views, field)
    corners = domain.corners(views)
    centre, half_extent = middle(corners)
    scale = intensity_scale(views)
    noise = excess_noise(views, scale)
    # A learned image is as smooth as it should be.
    noise_weight = 0.0 if prior else settings.smoothing * noise
    drawn = bool(settings.tv_prior or prior)
    seen, grid, factor = views, domain.grid, 1.0
    if drawn:
        around, _ = with_whole_slices(views, grid)
        seen, grid, factor = target_grid(views, around)
        seen = matched(seen, grid)

    groups = make_point_groups(
        seen if factor == 1 else views,
        domain=domain,
        centre=centre,
        scale=scale,
        points=settings.profile_points,
        device=device,
        pairs=noise_weight > 0,
    )
    most = MAX_POINTS_LEARNED if prior else MAX_POINTS
    begins = drawn and points_of(groups) > most
    lattices: Sequence[Lattice] = ()
    if settings.channels and begins:
        # What a start lacks may be learnt on the voxels that the start has.
        lattices = lattices_within_budget(views, domain, centre, factor)
    elif settings.channels:
        lattices = lattices_for(views, domain, centre)
    architecture = Architecture(
        encoding=settings.encoding,
        fourier_dim=fourier_dim,
        sigma=settings.sigma,
        half_extent=half_extent,
        width=settings.width,
        depth=settings.depth,
        activation=settings.activation,
        dropout=settings.dropout,
        members=settings.members,
        channels=settings.channels,
        lattices=tuple(lattices),
    )
    check_memory(architecture, device)
    start = error = None
    target_weight = 0.0
    if factor > 1:
        log.info("what draws the fit is computed on voxels of %.2g mm.", grid.voxel_sizes[0])
    if prior:
        image, error = learned_target(seen, grid, prior, scale=scale, device=device, field=field)
        error = _storable(error, views)
        passes = FULL_PASSES if begins else passes_of(groups, settings)
        target_weight = learned_weight(noise, passes)
    elif drawn:
        weight = automatic_weight(views, "tv") if begins else TV_TARGET_WEIGHT + noise_weight
        image = tv_target(seen, grid, scale=scale, weight=weight, device=device, field=field)
        target_weight = start_weight(noise) if begins else settings.tv_prior
    if begins:
        start = _storable(image, views)
        groups = relative_to(groups, start, centre)
    elif drawn:
        groups = with_targets(groups, image, centre)
    per_point = 1 / points_per_voxel(groups, domain.grid, centre)
    return FitProblem(
        domain=domain,
        centre=centre,
        scale=scale,
        architecture=architecture,
        groups=groups,
        # A start is smooth already, and too little is added to it to bring the noise back.
        smoothing_weight=0.0 if start else noise_weight * per_point,
        target_weight=target_weight * per_point,
        start=start,
        error=error,
    )


def _storable(image: TargetImage, views: Sequence[View]) -> TargetImage:
    """An image with the precision that it has in a model file.

    Raises:
        InputError: its intensities are too large for that.
    """
    image = image.rounded()
    if not image.values.isfinite().all():
        names = " and ".join(view.name for view in views)
        raise InputError(
            f"{names}: hold intensities too far beyond their 99th percentile for a model; clip "
            "them."
        )
    return image


@torch.no_grad()
def build_network(problem: FitProblem, seed: int) -> CoordinateNetwork:
    """A network with random weights, on the CPU, that begins at the mean intensity of the views."""
    network = CoordinateNetwork(problem.architecture, seed)
    voxels = torch.cat([group.values.flatten() for group in problem.groups])
    network.last_bias.fill_(float(voxels.mean()))
    return network


def middle(corners: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) in world mm and half of the longest extent in mm of the box around (k, 3)."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    return (low + high) / 2, float((high - low).max() / 2)


def check_memory(architecture: Architecture, device: torch.device) -> None:
    """Refuse a network that the memory cannot hold, before any work.

    Raises:
        InputError: weights, gradients and Adam's two moments need more than is free.
    """
    needed, free = BYTES_PER_PARAMETER * architecture.parameters, free_memory(device)
    if needed > free:
        raise InputError(
            f"fitting {architecture.members} member(s) of {architecture.parameters / 1e6:.0f} M "
            f"numbers in all needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free; lower "
            "fit.members or fit.channels."
        )
