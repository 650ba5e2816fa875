"""Fitting one INR to thick-slice views of one subject.

Reads from top to bottom: the views as tensors, the network, the optimisers, the loop. The order of
the data depends on the seed and the step alone, so that a fit resumed from a checkpoint goes the
same way as one that was never interrupted (dropout, which draws anew, excepted).
"""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import __version__
from .acquisition import View, check_overlap, common_grid, intensity_scale
from .checkpoint import Checkpoint
from .device import autocast
from .errors import InputError
from .network import INR, Architecture, CoordinateNetwork
from .settings import FitSettings


@dataclass(frozen=True)
class Progress:
    """Where a fit is.

    Attributes:
        step, steps: done and planned.
        loss: of the last batch.
        points_per_second: profile samples per second since the start of this process.
        seconds: spent on the fit, earlier processes included.
        seconds_left: at this pace.
    """

    step: int
    steps: int
    loss: float
    points_per_second: float
    seconds: float
    seconds_left: float


@dataclass(frozen=True, eq=False)
class Stack:
    """One view as tensors on the device: what the loop draws its batches from.

    Attributes:
        centres: (n, 3) mm relative to the field of view's centre.
        values: (n,) voxels in units of the intensity scale.
        offsets: (q, 3) mm, samples of the slice profile.
        weights: (q,) of the samples.
        batch: voxels drawn per step.
    """

    centres: Tensor
    values: Tensor
    offsets: Tensor
    weights: Tensor
    batch: int

    def digest(self) -> str:
        """A checksum of everything that the view says."""
        parts = (self.centres, self.values, self.offsets, self.weights)
        return hashlib.sha256(b"".join(part.cpu().numpy().tobytes() for part in parts)).hexdigest()

    def order(self, seed: int, which_pass: int) -> Tensor:
        """(n,) a permutation of the voxels, different in every pass."""
        generator = torch.Generator().manual_seed(seed * 100_003 + which_pass)
        return torch.randperm(len(self.values), generator=generator).to(self.values.device)


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
        InputError: fourier_dim is not positive, the views do not overlap, the loss is not finite.
    """
    if fourier_dim < 1:
        raise InputError(f"Fourier dimension {fourier_dim} is not a positive whole number.")
    check_overlap(views)
    device = torch.device(device)
    torch.manual_seed(settings.seed)
    centre, half_extent = field_of_view(views)
    scale = intensity_scale(views)
    stacks = make_stacks(views, centre, scale, settings, device)
    network = _network(stacks, fourier_dim, half_extent, settings).to(device)
    training = Training(network, stacks, settings, checkpoint)
    training.run(report, report_every)
    grid = common_grid(views)
    provenance = {
        "version": __version__,
        "torch": torch.__version__,
        "fourier_dim": fourier_dim,
        "settings": asdict(settings),
        "steps": training.steps,
        "final_loss": training.loss,
        "views": [view.name for view in views],
        "grid": {"shape": grid.shape, "affine": grid.affine.tolist()},
    }
    return INR(network.cpu().eval(), tuple(centre.tolist()), scale, provenance)


class Training:
    """The loop: draws batches, steps the optimisers, reports, keeps a checkpoint.

    Args:
        network: to train, on the device of the stacks.
        stacks: one per view.
        settings: optimiser, rates, budget and the seed of the order of the data.
        checkpoint: file to go on from and to keep up to date, or None.
    """

    def __init__(
        self,
        network: CoordinateNetwork,
        stacks: Sequence[Stack],
        settings: FitSettings,
        checkpoint: Path | None,
    ) -> None:
        self.network, self.stacks, self.settings = network, stacks, settings
        self.optimisers = make_optimisers(network, settings)
        # Batches are in proportion to the views: each has about this many steps in a pass.
        self.steps_per_pass = min(len(stack.values) // stack.batch for stack in stacks)
        self.steps = max(1, round(settings.passes * self.steps_per_pass))
        self.points_per_step = sum(stack.batch * len(stack.weights) for stack in stacks)
        self.loss = math.nan
        identity = {**asdict(settings), **asdict(network.architecture), "version": __version__}
        identity["data"] = [stack.digest() for stack in stacks]
        self.checkpoint = Checkpoint(checkpoint, network, self.optimisers, identity)

    def run(self, report: Callable[[Progress], None], report_every: float) -> None:
        """Train to the end of the budget.

        Raises:
            InputError: the loss is not finite; no checkpoint of it is kept.
        """
        self.network.train()
        arithmetic = autocast(self.stacks[0].values.device)
        peak = [group["lr"] for opt in self.optimisers for group in opt.param_groups]
        first, before = self.checkpoint.resume()
        started = last = time.perf_counter()
        orders = None
        for step in range(first, self.steps):
            which_pass, within = divmod(step, self.steps_per_pass)
            if within == 0 or orders is None:
                orders = [stack.order(self.settings.seed, which_pass) for stack in self.stacks]
            self._set_rates(peak, schedule(step, self.steps, self.settings.warmup))
            with arithmetic:
                loss = self._batch_loss(orders, within)
            loss.backward()
            for optimiser in self.optimisers:
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)

            done = step + 1
            if time.perf_counter() - last > report_every or done == self.steps:
                # The only place where the device is waited for.
                self.loss = float(loss.detach())
                self._stop_if_not_finite(done)
                last = time.perf_counter()
                pace = (done - first) / (last - started)
                left = (self.steps - done) / pace
                rate, seconds = pace * self.points_per_step, before + last - started
                report(Progress(done, self.steps, self.loss, rate, seconds, left))
            self.checkpoint.update(done, before + time.perf_counter() - started)
        self.checkpoint.remove()

    def _batch_loss(self, orders: Sequence[Tensor], within: int) -> Tensor:
        """Mean loss over one batch of every view."""
        total = 0.0
        for stack, order in zip(self.stacks, orders, strict=True):
            chosen = order[within * stack.batch : (within + 1) * stack.batch]
            predicted = self.network.slice_mean(stack.centres[chosen], stack.offsets, stack.weights)
            error = predicted - stack.values[chosen]
            total = total + (error.abs() if self.settings.loss == "l1" else error**2).sum()
        return total / sum(stack.batch for stack in self.stacks)

    def _set_rates(self, peak: Sequence[float], factor: float) -> None:
        groups = [group for opt in self.optimisers for group in opt.param_groups]
        for group, rate in zip(groups, peak, strict=True):
            group["lr"] = rate * factor

    def _stop_if_not_finite(self, step: int) -> None:
        if not math.isfinite(self.loss):
            self.checkpoint.remove()
            raise InputError(
                f"the loss is {self.loss} at step {step}; lower fit.muon_rate or fit.adam_rate."
            )


def make_stacks(
    views: Sequence[View],
    centre: np.ndarray,
    scale: float,
    settings: FitSettings,
    device: torch.device,
) -> list[Stack]:
    """The views as tensors on the device, with batches in proportion to their voxels."""
    total = sum(view.volume.grid.size for view in views)

    def tensor(array: np.ndarray) -> Tensor:
        return torch.as_tensor(array, dtype=torch.float32, device=device)

    stacks = []
    for view in views:
        grid = view.volume.grid
        offsets, weights = view.offsets(settings.profile_points)
        stacks.append(
            Stack(
                centres=tensor(grid.centres() - centre),
                values=tensor(view.volume.array.ravel() / scale),
                offsets=tensor(offsets),
                weights=tensor(weights),
                batch=max(1, min(settings.batch, total) * grid.size // total),
            )
        )
    return stacks


def field_of_view(views: Sequence[View]) -> tuple[np.ndarray, float]:
    """Centre (3,) in world mm and half of the longest extent in mm of all views together."""
    corners = np.concatenate([view.volume.grid.corners for view in views])
    low, high = corners.min(axis=0), corners.max(axis=0)
    return (low + high) / 2, float((high - low).max() / 2)


def make_optimisers(
    network: CoordinateNetwork, settings: FitSettings
) -> list[torch.optim.Optimizer]:
    """Muon on the hidden weight matrices and Adam on the rest, or Adam on everything.

    Muon: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    """
    if settings.optimiser == "adam":
        return [torch.optim.Adam(network.parameters(), lr=settings.adam_rate)]
    matrices = [layer.weight for layer in network.hidden]
    rest = [layer.bias for layer in network.hidden] + list(network.last.parameters())
    return [
        torch.optim.Muon(matrices, lr=settings.muon_rate, weight_decay=0.0),
        torch.optim.Adam(rest, lr=settings.adam_rate),
    ]


def schedule(step: int, steps: int, warmup: int) -> float:
    """Factor on the learning rates: a linear rise over `warmup` steps, times a cosine to zero."""
    rise = min(1.0, (step + 1) / max(warmup, 1))
    return rise * 0.5 * (1 + math.cos(math.pi * step / steps))


def _network(
    stacks: Sequence[Stack],
    fourier_dim: int,
    half_extent: float,
    settings: FitSettings,
) -> CoordinateNetwork:
    architecture = Architecture(
        encoding=settings.encoding,
        fourier_dim=fourier_dim,
        sigma=settings.sigma,
        half_extent=half_extent,
        width=settings.width,
        depth=settings.depth,
        activation=settings.activation,
        dropout=settings.dropout,
    )
    network = CoordinateNetwork(architecture, settings.seed)
    with torch.no_grad():
        network.last.bias.fill_(float(torch.cat([stack.values for stack in stacks]).mean()))
    return network
