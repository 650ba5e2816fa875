"""Fitting one INR, or an ensemble, to thick-slice views of one subject."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from .. import __version__
from ..acquisition.domain import FitDomain
from ..acquisition.view import View, intensity_scale
from ..errors import InputError
from .device import free_memory
from .lattices import lattices_for
from .model_file import INR, TABLE_TYPE
from .network import Architecture, CoordinateNetwork
from .noise import excess_noise, times_seen
from .point_groups import make_point_groups
from .settings import FitSettings
from .training import Progress, Training
from .tv_target import with_tv_targets


def fit_inr(
    views: Sequence[View],
    fourier_dim: int,
    settings: FitSettings,
    *,
    device: torch.device | str = "cpu",
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: float = 5.0,
    checkpoint: Path | None = None,
) -> INR:
    """Fit a network whose slice averages agree with the views.

    Args:
        views: at least one; positions and intensities in their own units.
        fourier_dim: number of Fourier frequencies.
        settings: architecture, optimiser, budget and seed.
        device: "cpu" or "cuda".
        report: called about every `report_every` seconds and at the end.
        checkpoint: file to go on from if it belongs to this fit, kept up to date meanwhile and
            removed at the end.

    Returns:
        The fitted INR, on the CPU.

    Raises:
        InputError: fourier_dim is not positive, the views do not overlap or hold intensities that
            are too large for total variation, the loss is not finite.
    """
    if fourier_dim < 1:
        raise InputError(f"Fourier dimension {fourier_dim} is not a positive whole number.")
    begun = time.perf_counter()
    field = FitDomain.of(views)
    grid = field.grid
    device = torch.device(device)
    torch.manual_seed(settings.seed)
    centre, half_extent = middle(field.corners(views))
    scale = intensity_scale(views)
    noise = settings.smoothing * excess_noise(views, scale)
    stacks = make_point_groups(
        views, field, centre, scale, settings.profile_points, device, pairs=noise > 0
    )
    per_point = 1 / times_seen(stacks, grid, centre)
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
        lattices=tuple(lattices_for(views, field, centre)) if settings.channels else (),
    )
    check_memory(architecture, device)
    network = CoordinateNetwork(architecture, settings.seed)
    with torch.no_grad():
        network.last_bias.fill_(float(torch.cat([s.values.flatten() for s in stacks]).mean()))
    if settings.tv_prior:
        stacks = with_tv_targets(stacks, views, grid, centre, scale, noise)
    weights = noise * per_point, settings.tv_prior * per_point
    training = Training(network.to(device), stacks, settings, checkpoint, *weights)
    training.run(report, report_every, begun)
    round_table(network)
    provenance = {
        "version": __version__,
        "torch": torch.__version__,
        # The last bits of sums depend on it.
        "threads": torch.get_num_threads(),
        "fourier_dim": fourier_dim,
        "settings": asdict(settings),
        "steps": training.steps,
        "final_loss": training.loss,
        "views": [view.name for view in views],
        "grid": {"shape": grid.shape, "affine": grid.affine.tolist(), "space": grid.space},
        "margin": field.margin,
        "limits": [{"shape": each.shape, "affine": each.affine.tolist()} for each in field.limits],
    }
    return INR(network.cpu().eval(), tuple(centre.tolist()), scale, provenance)


def middle(corners: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) in world mm and half of the longest extent in mm of the box around (k, 3)."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    return (low + high) / 2, float((high - low).max() / 2)


def check_memory(architecture: Architecture, device: torch.device) -> None:
    """Refuse a network that the memory cannot hold, before any work.

    Raises:
        InputError: weights, gradients and Adam's two moments need more than is free.
    """
    needed, free = 16 * architecture.parameters, free_memory(device)
    if needed > free:
        raise InputError(
            f"fitting {architecture.members} member(s) of {architecture.parameters / 1e6:.0f} M "
            f"numbers in all needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free; lower "
            "fit.members or fit.channels."
        )


@torch.no_grad()
def round_table(network: CoordinateNetwork) -> None:
    """Give the lattice features the precision they have in a file.

    A model then renders the same before and after it was stored.
    """
    if network.lattices:
        table = network.lattices.table
        table.copy_(table.to(TABLE_TYPE))
