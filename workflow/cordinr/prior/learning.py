"""The training loop of the prior.

The correction is learnt by its squared error, and the variance by the Gaussian likelihood of the
error that the correction leaves, which does not act back on the correction: a likelihood of both
lets the network explain a poor correction by a large variance (Seitzer et al., "On the pitfalls of
heteroscedastic uncertainty estimation with probabilistic neural networks", ICLR 2022, section 3).
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

from ..errors import InputError
from .examples import Example
from .features import CHANNELS
from .learning_state import LearningState
from .network import LAYOUT, PriorArchitecture, PriorNetwork
from .patches import PatchPool

VARIANCE_WEIGHT = 0.1
"""Weight of the likelihood of the variance beside the squared error."""

WARM_UP = 0.03
"""Part of the steps over which the learning rate rises from zero."""

BETAS = (0.9, 0.99)
"""Decay rates of Adam's moments."""

MAX_GRADIENT = 1.0
"""Largest norm of a gradient; longer ones are shortened to it."""

CUDA_TYPE = torch.bfloat16
"""Type in which a GPU computes convolutions while it learns; its images are of float32."""


@dataclass(frozen=True)
class LearningSettings:
    """The choices of a learning run.

    Attributes:
        steps: number of steps.
        batch: patches per step.
        patch: edge of a patch in voxels.
        learning_rate: of Adam, at its highest.
        seed: of the first weights and of the patches.
        seconds: end after this time at the latest, with the learning rate lowered in time; the
            result then depends on the machine. None for no limit.
    """

    steps: int = 2000
    batch: int = 8
    patch: int = 48
    learning_rate: float = 1e-3
    seed: int = 0
    seconds: float | None = None


@dataclass(frozen=True)
class LearningReport:
    """How far a learning run is.

    Attributes:
        step: steps done.
        part: part of the run that is done.
        gain: decibels by which the squared error on training patches is below that of total
            variation, of the last steps.
        seconds: spent on learning, before a stop as well.
    """

    step: int
    part: float
    gain: float
    seconds: float


def learn(
    examples: Sequence[Example],
    settings: LearningSettings,
    *,
    architecture: PriorArchitecture | None = None,
    start: PriorNetwork | None = None,
    device: torch.device | str = "cpu",
    checkpoint: Path | None = None,
    report: Callable[[LearningReport], None] = lambda report: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> PriorNetwork:
    """Learn a network from examples; on a CPU and without a time limit always the same.

    Args:
        examples: at least one; all of them are put on the device.
        settings: of the run.
        architecture: of the network, unless it begins at another.
        start: network that has learnt before, from whose weights it goes on; it stays as it is.
        device: where to compute.
        checkpoint: file from which a stopped run goes on; removed at the end.
        report: is told now and then how far the run is.
        is_stopped: is asked after every step; at a yes the run writes its checkpoint and ends.

    Raises:
        InputError: the loss is no longer a finite number.
    """
    device = torch.device(device)
    torch.backends.cudnn.benchmark = device.type == "cuda"  # all patches have one shape
    torch.manual_seed(settings.seed)
    architecture = start.architecture if start else architecture or PriorArchitecture(CHANNELS)
    network = PriorNetwork(architecture).to(device)
    if start:
        network.load_state_dict(start.state_dict())
    shortened = device.type == "cuda" and torch.float32 != CUDA_TYPE
    network = network.to(memory_format=LAYOUT)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, betas=BETAS)
    people = sorted({example.person for example in examples})
    identity = {
        "settings": asdict(settings),
        "architecture": asdict(architecture),
        "people": people,
        "examples": _digest_of(examples),
        "start": start.digest if start else "",
    }
    state = LearningState(checkpoint, network, optimiser, identity)
    pool = PatchPool(examples, settings.batch, settings.patch, settings.seed, device)
    first, before = state.resume()
    started, gain = time.perf_counter(), _Gain()
    step, stopped = first, False
    while step < settings.steps and not stopped:
        seconds = before + time.perf_counter() - started
        part = step / settings.steps
        if settings.seconds:
            part = max(part, seconds / settings.seconds)
            if part >= 1:
                break
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * _schedule(part)
        channels, target, counts = pool.draw(step)
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=shortened):
            correction, log_variance = network(channels.to(memory_format=LAYOUT))
        loss, error, unlearnt = losses(correction, log_variance, target, counts)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
        optimiser.step()
        gain.add(error, unlearnt)
        step += 1
        stopped = step < settings.steps and is_stopped()
        # On a CPU fifty steps take many minutes, which the end of the machine would cost.
        if step % 50 == 0 or step == settings.steps or state.is_due or stopped:
            if not math.isfinite(loss.item()):
                raise InputError(
                    f"the loss of the prior is not a finite number at step {step}; choose a lower "
                    "learning rate, or look for references with extreme intensities."
                )
            seconds = before + time.perf_counter() - started
            if state.is_due or stopped:
                state.write(step, seconds)
            report(LearningReport(step, max(part, step / settings.steps), gain.read(), seconds))
    if not stopped:
        state.remove()
    return network.to(memory_format=torch.contiguous_format).float().eval()


def losses(
    correction: Tensor, log_variance: Tensor, target: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss, and beside it the squared errors with and without the correction.

    Args:
        correction: (n, x, y, z), in units of the spread, like the others.
        log_variance: (n, x, y, z).
        target: (n, x, y, z), what the correction should be.
        counts: (n, x, y, z), 1 where a voxel counts, else 0.

    Returns:
        Three numbers.
    """
    total = counts.sum().clamp(min=1)
    squared = (correction - target).square()
    error = (squared * counts).sum() / total
    known = squared.detach()
    surprise = 0.5 * (known * (-log_variance).exp() + log_variance)
    likelihood = (surprise * counts).sum() / total
    start = (target.square() * counts).sum() / total
    return error + VARIANCE_WEIGHT * likelihood, error.detach(), start


def _schedule(part: float) -> float:
    """Factor on the learning rate: a rise, then half a cosine.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """
    if part < WARM_UP:
        return max(part / WARM_UP, 0.01)
    return 0.5 * (1 + math.cos(math.pi * (part - WARM_UP) / (1 - WARM_UP)))


class _Gain:
    """Mean gain over total variation since it was last read, without waiting for a GPU."""

    def __init__(self) -> None:
        self.pairs: list[tuple[Tensor, Tensor]] = []

    def add(self, error: Tensor, start: Tensor) -> None:
        self.pairs.append((error, start))

    def read(self) -> float:
        """In dB; 0 where nothing was added."""
        if not self.pairs:
            return 0.0
        error, start = (float(torch.stack(each).mean()) for each in zip(*self.pairs, strict=True))
        self.pairs.clear()
        return 10 * math.log10(start / error) if error > 0 and start > 0 else 0.0


def _digest_of(examples: Sequence[Example]) -> str:
    """A checksum of what is learnt from: a run goes on with the same images only."""
    digest = hashlib.sha256()
    for example in examples:
        for part in (example.channels, example.target, example.counts):
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
