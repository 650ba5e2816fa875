"""The training loop of an INR: batches, optimiser, reports, checkpoint.

The order of the data depends on the seed and the step alone, so that a fit resumed from a
checkpoint goes the same way as one that was never interrupted (dropout, which draws anew,
excepted).
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import __version__
from ..errors import InputError
from .adam import Adam
from .budget import batch_size, step_count
from .checkpoint import Checkpoint
from .cuda_graph import CudaGraphed
from .device import autocast
from .loss import summed_loss
from .loss_curve import LossCurve
from .network import CoordinateNetwork
from .point_groups import PointGroup
from .settings import FitSettings
from .sigterm import deferred_sigterm

log = logging.getLogger(__name__)

ADAM_BETAS = (0.9, 0.99)
"""Decay rates of Adam's first and second moment per step."""

MIN_BATCH = 64
"""Number of view voxels at a time below which the memory of a GPU counts as too small."""


@dataclass(frozen=True)
class Progress:
    """Where a fit is.

    Attributes:
        step: number of steps done.
        steps: number of steps planned.
        loss: mean loss of the last batch.
        losses: the curve so far, as `LossCurve.curve`.
        points_per_second: profile samples per second since the start of this process.
        seconds: time spent on the fit, earlier processes included.
        seconds_left: time to the end at this pace.
    """

    step: int
    steps: int
    loss: float
    losses: dict[str, list]
    points_per_second: float
    seconds: float
    seconds_left: float


class Training:
    """The loop: draws batches, steps the optimiser, reports, keeps a checkpoint.

    Args:
        network: to train, on the device of the groups.
        groups: all view voxels, and the points that stand for them.
        settings: rates, budget and the seed of the order of the data.
        checkpoint: file to resume from and to keep up to date, or None.
        smoothing_weight: of the total variation at the points, against the squared errors.
        target_weight: of the squared distance of the points from their targets, likewise.
        max_steps: number of steps to take at most; None for that of the settings.
        prior: checksum of the prior that the targets come from, if any.
    """

    def __init__(
        self,
        network: CoordinateNetwork,
        groups: Sequence[PointGroup],
        settings: FitSettings,
        *,
        checkpoint: Path | None = None,
        smoothing_weight: float = 0.0,
        target_weight: float = 0.0,
        max_steps: int | None = None,
        prior: str = "",
    ) -> None:
        self.network, self.settings = network, settings
        self.smoothing_weight, self.target_weight = smoothing_weight, target_weight
        self.voxels = sum(group.values.numel() for group in groups)
        self.optimiser = make_optimiser(network, settings)
        self.peak = [float(each["lr"]) for each in self.optimiser.param_groups]
        self.loss = math.nan
        identity = {**asdict(settings), **asdict(network.architecture), "version": __version__}
        identity["data"] = [group.digest() for group in groups]
        identity["weights"] = [smoothing_weight, target_weight]
        identity["prior"] = prior
        batch = batch_size(self.voxels, settings)
        self.groups = [group.with_batch(batch, self.voxels) for group in groups]
        self.orders: list[tuple[int, Tensor] | None] = [None] * len(groups)
        self.batch = sum(group.batch * group.values.shape[1] for group in self.groups)
        self.points_per_step = sum(group.batch * len(group.offsets) for group in self.groups)
        most = settings.max_steps if max_steps is None else max_steps
        self.steps = step_count(self.voxels, settings, most)
        self.losses = LossCurve(self.steps)
        self.checkpoint = Checkpoint(checkpoint, network, self.optimiser, self.losses, identity)
        self.parts = 1
        device = self.groups[0].values.device
        self.drawn = [torch.zeros(g.batch, dtype=torch.long, device=device) for g in self.groups]
        self.graphed = CudaGraphed(self._compute, device)

    def run(
        self,
        report: Callable[[Progress], None],
        report_every: float,
        begun: float | None = None,
    ) -> None:
        """Train to the end of the budget.

        SIGTERM ends the process as usual, but only after the step and with a checkpoint.

        Args:
            report: called about every `report_every` seconds and at the end.
            report_every: seconds.
            begun: `time.perf_counter()` when work on the fit began; now by default.

        Raises:
            InputError: the loss is not finite; no checkpoint of it is kept. Not even a small
                batch fits the memory of the GPU.
        """
        with deferred_sigterm() as terminated:
            self._run(report, report_every, begun, terminated)

    def _run(
        self,
        report: Callable[[Progress], None],
        report_every: float,
        begun: float | None,
        terminated: Callable[[], bool],
    ) -> None:
        self.network.train()
        step, before = self.checkpoint.resume()
        if step:
            log.warning("going on from step %d of %d.", step, self.steps)
        started = last = time.perf_counter()
        before += started - (begun or started)
        points = 0
        while step < self.steps:
            if terminated():
                self.checkpoint.write(step, before + time.perf_counter() - started)
                return
            try:
                loss = self.step(step)
            except torch.OutOfMemoryError as error:
                self._halve_parts(error)
                continue
            step += 1
            points += self.points_per_step
            self.losses.add(step, loss)
            if time.perf_counter() - last > report_every or step == self.steps:
                # The only place where the device is waited for.
                self.loss = float(loss)
                self._stop_if_not_finite(step)
                last = time.perf_counter()
                rate = points / (last - started)
                left = (self.steps - step) * self.points_per_step / rate
                spent = before + last - started
                curve = self.losses.curve()
                report(Progress(step, self.steps, self.loss, curve, rate, spent, left))
            if step < self.steps:
                self.checkpoint.update(step, before + time.perf_counter() - started)
        if not terminated():  # else it is all that will be left
            self.checkpoint.remove()

    def step(self, number: int) -> Tensor:
        """Take a step, counted from 0; return the loss before it, still on the device."""
        factor = schedule(number, self.steps, self.settings.warmup)
        for parameters, rate in zip(self.optimiser.param_groups, self.peak, strict=True):
            set_rate(parameters, rate * factor)
        for which, drawn in enumerate(self.drawn):
            drawn.copy_(self._draw(which, number))
        return self.graphed()

    def _compute(self) -> Tensor:
        """What a step does once its rates and its batch are set: the same tensors every time."""
        self.optimiser.zero_grad()
        total = torch.zeros((), device=self.drawn[0].device)
        for part in range(self.parts):
            with autocast(total.device):
                loss = self._part_loss(part)
            # The members' losses are summed, so that none learns slower for being one of many.
            (loss * self.settings.members).backward()
            total += loss.detach()
        self.optimiser.step()
        return total

    def _part_loss(self, part: int) -> Tensor:
        """One part's share of the mean loss over the batch of all groups and over the members."""
        chosen = [drawn.tensor_split(self.parts)[part] for drawn in self.drawn]
        places = [
            (group.centres[drawn], group.offsets)
            for group, drawn in zip(self.groups, chosen, strict=True)
        ]
        seen = self.network.along_offsets(places)
        # Without autocast: it would round the predictions to bfloat16.
        with torch.autocast(seen[0].device.type, enabled=False):
            total = summed_loss(
                self.groups,
                chosen,
                seen,
                kind=self.settings.loss,
                smoothing_weight=self.smoothing_weight,
                target_weight=self.target_weight,
            )
        return total / (self.batch * self.settings.members)

    def _draw(self, which: int, step: int) -> Tensor:
        """Which places of a group make up its batch at a step."""
        group = self.groups[which]
        which_pass, within = divmod(step, group.steps_per_pass)
        order = self.orders[which]
        if order is None or order[0] != which_pass:
            order = which_pass, group.permutation(self.settings.seed, which_pass)
            self.orders[which] = order
        return order[1][within * group.batch : (within + 1) * group.batch]

    def _halve_parts(self, error: Exception) -> None:
        """Compute the batch of a step in twice as many parts; the fit itself stays the same."""
        self.parts *= 2
        voxels = self.batch // self.parts
        if voxels < MIN_BATCH:
            raise InputError(
                f"the GPU is out of memory with {2 * voxels} view voxels at a time; use a GPU with "
                "more memory, --device cpu, or fewer fit.channels or fit.members."
            ) from error
        self.optimiser.zero_grad()
        self.graphed.forget()
        torch.cuda.empty_cache()
        log.warning("out of GPU memory; going on with %d view voxels at a time.", voxels)

    def _stop_if_not_finite(self, step: int) -> None:
        if not math.isfinite(self.loss):
            self.checkpoint.remove()
            raise InputError(f"the loss is {self.loss} at step {step}; lower the rates of fit:.")


def make_optimiser(network: CoordinateNetwork, settings: FitSettings) -> Adam:
    """Adam, with learning rates of their own for lattice features and Fourier weights."""
    paced = {}
    if network.lattices:
        paced["lattices.table"] = settings.lattice_rate
        paced["from_position"] = settings.fourier_rate / (network.encoding.features / 2)
    rates: dict[float, list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        rates.setdefault(paced.get(name, settings.rate), []).append(parameter)
    device = network.last.device
    groups = [
        # A CUDA graph reads the rate from where it was when captured: it has to be a tensor there.
        {"params": each, "lr": torch.tensor(rate, device=device) if device.type == "cuda" else rate}
        for rate, each in rates.items()
    ]
    return Adam(groups, betas=ADAM_BETAS)


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Change the learning rate of a parameter group; in place where it is a tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def schedule(step: int, steps: int, warmup: int) -> float:
    """Factor on the learning rates: a linear rise over `warmup` steps, times a cosine to zero."""
    rise = min(1.0, (step + 1) / max(warmup, 1))
    return rise * 0.5 * (1 + math.cos(math.pi * step / steps))
