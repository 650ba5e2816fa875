"""Fitting one INR to thick-slice views of one subject.

Reads from top to bottom: the network, the loop, the optimiser. The order of
the data depends on the seed and the step alone, so that a fit resumed from a checkpoint goes the
same way as one that was never interrupted (dropout, which draws anew, excepted).
"""

import math
import sys
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
from .device import autocast, free_memory
from .errors import InputError
from .lattice import lattices_for
from .network import INR, TABLE_TYPE, Architecture, CoordinateNetwork
from .sampling import Stack, make_stacks
from .settings import FitSettings
from .smoothing import excess_noise, times_seen, total_variation

BETAS = (0.9, 0.99)
"""Of Adam."""

MAX_STEPS_PER_PASS = 48
"""A large volume takes larger batches instead of more steps."""

MIN_BATCH = 64
"""View voxels per step below which a GPU is too small."""


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
    noise = settings.smoothing * excess_noise(views, scale)
    stacks = make_stacks(views, centre, scale, settings.profile_points, device, noise > 0)
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
        lattices=tuple(lattices_for(views, centre)) if settings.channels else (),
    )
    check_memory(architecture, device)
    network = CoordinateNetwork(architecture, settings.seed)
    with torch.no_grad():
        network.last_bias.fill_(float(torch.cat([s.values.flatten() for s in stacks]).mean()))
    smoothing = noise / times_seen(stacks, views)
    training = Training(network.to(device), stacks, settings, checkpoint, smoothing)
    training.run(report, report_every)
    round_table(network)
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
    """The loop: draws batches, steps the optimiser, reports, keeps a checkpoint.

    Args:
        network: to train, on the device of the stacks.
        stacks: all view voxels.
        settings: rates, budget and the seed of the order of the data.
        checkpoint: file to go on from and to keep up to date, or None.
        smoothing: weight of the total variation at the points against the squared errors.
    """

    def __init__(
        self,
        network: CoordinateNetwork,
        stacks: Sequence[Stack],
        settings: FitSettings,
        checkpoint: Path | None,
        smoothing: float = 0.0,
    ) -> None:
        self.network, self.settings, self.smoothing = network, settings, smoothing
        self.voxels = sum(stack.values.numel() for stack in stacks)
        self.optimiser = make_optimiser(network, settings)
        self.peak = [group["lr"] for group in self.optimiser.param_groups]
        self.loss = math.nan
        identity = {**asdict(settings), **asdict(network.architecture), "version": __version__}
        identity["data"] = [stack.digest() for stack in stacks]
        self.checkpoint = Checkpoint(checkpoint, network, [self.optimiser], identity)
        self._plan(stacks, max(settings.batch, self.voxels // MAX_STEPS_PER_PASS))

    def _plan(self, stacks: Sequence[Stack], batch: int) -> None:
        """Draw `batch` view voxels per step, from every stack in proportion."""
        self.batch = min(batch, self.voxels)
        self.stacks = [stack.drawing(self.batch, self.voxels) for stack in stacks]
        self.orders: list[tuple[int, Tensor] | None] = [None] * len(stacks)
        steps = round(self.settings.passes * self.voxels / self.batch)
        self.steps = max(1, min(steps, self.settings.max_steps))
        self.points_per_step = sum(stack.batch * len(stack.offsets) for stack in self.stacks)

    def run(self, report: Callable[[Progress], None], report_every: float) -> None:
        """Train to the end of the budget.

        Raises:
            InputError: the loss is not finite; no checkpoint of it is kept. Not even a small
                batch fits the memory of the GPU.
        """
        self.network.train()
        step, before = self.checkpoint.resume()
        started = last = time.perf_counter()
        points = 0
        while step < self.steps:
            try:
                loss = self._step(step)
            except torch.OutOfMemoryError as error:
                step = self._halve_batch(step, error)
                continue
            step += 1
            points += self.points_per_step
            if time.perf_counter() - last > report_every or step == self.steps:
                # The only place where the device is waited for.
                self.loss = float(loss)
                self._stop_if_not_finite(step)
                last = time.perf_counter()
                rate = points / (last - started)
                left = (self.steps - step) * self.points_per_step / rate
                spent = before + last - started
                report(Progress(step, self.steps, self.loss, rate, spent, left))
            self.checkpoint.update(step, before + time.perf_counter() - started)
        self.checkpoint.remove()

    def _step(self, step: int) -> Tensor:
        """One step of the optimiser; the loss before it, still on the device."""
        factor = schedule(step, self.steps, self.settings.warmup)
        for group, rate in zip(self.optimiser.param_groups, self.peak, strict=True):
            group["lr"] = rate * factor
        self.optimiser.zero_grad(set_to_none=True)
        with autocast(self.stacks[0].values.device):
            loss = self._batch_loss(step)
        # The members' losses are summed, so that none learns slower for being one of many.
        (loss * self.settings.members).backward()
        self.optimiser.step()
        return loss.detach()

    def _batch_loss(self, step: int) -> Tensor:
        """Mean loss over one batch of every stack and over the members."""
        chosen = [self._draw(number, step) for number in range(len(self.stacks))]
        places = [
            (stack.centres[drawn], stack.offsets)
            for stack, drawn in zip(self.stacks, chosen, strict=True)
        ]
        seen = self.network.along_offsets(places)
        total, voxels = 0.0, 0
        # Without autocast: it would round the predictions to bfloat16.
        with torch.autocast(seen[0].device.type, enabled=False):
            for stack, drawn, intensity in zip(self.stacks, chosen, seen, strict=True):
                error = intensity @ stack.weights - stack.values[drawn]
                total = total + (error.abs() if self.settings.loss == "l1" else error**2).sum()
                if self.smoothing:
                    total = total + self.smoothing * total_variation(intensity, stack)
                voxels += error.numel()
        return total / voxels

    def _draw(self, number: int, step: int) -> Tensor:
        """Which places of a stack make up its batch at a step."""
        stack = self.stacks[number]
        which_pass, within = divmod(step, stack.steps_per_pass)
        kept = self.orders[number]
        if kept is None or kept[0] != which_pass:
            kept = which_pass, stack.order(self.settings.seed, which_pass)
            self.orders[number] = kept
        return kept[1][within * stack.batch : (within + 1) * stack.batch]

    def _halve_batch(self, step: int, error: Exception) -> int:
        """Plan again with half the batch, as far into the budget as `step` was."""
        if self.batch < 2 * MIN_BATCH:
            raise InputError(
                f"the GPU is out of memory with {self.batch} view voxels per step; use a GPU with "
                "more memory, --device cpu, or fewer fit.channels or fit.members."
            ) from error
        done = step / self.steps
        self.optimiser.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
        self._plan(self.stacks, self.batch // 2)
        print(
            f"note: out of GPU memory; going on with {self.batch} view voxels per step.",
            file=sys.stderr,
        )
        return round(done * self.steps)

    def _stop_if_not_finite(self, step: int) -> None:
        if not math.isfinite(self.loss):
            self.checkpoint.remove()
            raise InputError(f"the loss is {self.loss} at step {step}; lower the rates of fit:.")


def field_of_view(views: Sequence[View]) -> tuple[np.ndarray, float]:
    """Centre (3,) in world mm and half of the longest extent in mm of all views together."""
    corners = np.concatenate([view.volume.grid.corners for view in views])
    low, high = corners.min(axis=0), corners.max(axis=0)
    return (low + high) / 2, float((high - low).max() / 2)


def make_optimiser(network: CoordinateNetwork, settings: FitSettings) -> torch.optim.Optimizer:
    """Adam, with a rate of its own for what learns at another pace.

    Adam: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    """
    paced = {}
    if network.lattices:
        paced["lattices.table"] = settings.lattice_rate
        paced["from_position"] = settings.fourier_rate / (network.encoding.features / 2)
    rates: dict[float, list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        rates.setdefault(paced.get(name, settings.rate), []).append(parameter)
    groups = [{"params": parameters, "lr": rate} for rate, parameters in rates.items()]
    return torch.optim.Adam(groups, betas=BETAS, fused=True)


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


def schedule(step: int, steps: int, warmup: int) -> float:
    """Factor on the learning rates: a linear rise over `warmup` steps, times a cosine to zero."""
    rise = min(1.0, (step + 1) / max(warmup, 1))
    return rise * 0.5 * (1 + math.cos(math.pi * step / steps))
