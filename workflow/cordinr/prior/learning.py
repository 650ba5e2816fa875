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
from .network import PriorArchitecture, PriorNetwork
from .symmetries import SYMMETRIES

VARIANCE_WEIGHT = 0.1
"""Weight of the likelihood of the variance beside the squared error."""

WARM_UP = 0.03
"""Part of the steps over which the learning rate rises from zero."""

BETAS = (0.9, 0.99)
"""Decay rates of Adam's moments."""

MAX_GRADIENT = 1.0
"""Largest norm of a gradient; longer ones are shortened to it."""

BUSY_PART = 0.8
"""Part of the patches that are drawn where total variation is wrong rather than anywhere."""

CUDA_TYPE = torch.bfloat16
"""Type in which a GPU computes convolutions while it learns; its images are of float32."""

CUDA_LAYOUT = torch.channels_last_3d
"""Order of the axes in a GPU's memory while it learns."""


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
    device: torch.device | str = "cpu",
    checkpoint: Path | None = None,
    report: Callable[[LearningReport], None] = lambda report: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> PriorNetwork:
    """Learn a network from examples; on a CPU and without a time limit always the same.

    Args:
        examples: at least one; all of them are put on the device.
        settings: of the run.
        architecture: of the network.
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
    architecture = architecture or PriorArchitecture(CHANNELS)
    network = PriorNetwork(architecture).to(device)
    layout = CUDA_LAYOUT if device.type == "cuda" else torch.contiguous_format
    shortened = device.type == "cuda" and torch.float32 != CUDA_TYPE
    network = network.to(memory_format=layout)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, betas=BETAS)
    people = sorted({example.person for example in examples})
    identity = {
        "settings": asdict(settings),
        "architecture": asdict(architecture),
        "people": people,
        "examples": _digest_of(examples),
    }
    state = LearningState(checkpoint, network, optimiser, identity)
    pool = PatchPool(examples, settings, device)
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
            correction, log_variance = network(channels.to(memory_format=layout))
        loss, error, start = losses(correction, log_variance, target, counts)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
        optimiser.step()
        gain.add(error, start)
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


class PatchPool:
    """Examples on a device, from which patches are drawn, turned and mirrored.

    Args:
        examples: to draw from.
        settings: their `batch`, `patch` and `seed` count.
        device: that holds them.
    """

    def __init__(
        self, examples: Sequence[Example], settings: LearningSettings, device: torch.device
    ) -> None:
        self.settings, self.device = settings, device
        self.examples = [
            tuple(
                torch.as_tensor(array, device=device)
                for array in (example.channels, example.target, example.counts)
            )
            for example in examples
        ]
        # Patches are cubes, as they are turned: of a flat example what lies beyond is empty.
        self.edge = settings.patch
        self.places = [_busy_places(example, self.edge) for example in examples]

    def draw(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """The batch of a step: channels (n, CHANNELS, ...), targets (n, ...), and what counts."""
        rng = np.random.default_rng([self.settings.seed, step])
        parts = [self._patch(rng) for _ in range(self.settings.batch)]
        channels, target, counts = (torch.stack(each) for each in zip(*parts, strict=True))
        return channels.float(), target.float(), counts.float()

    def _patch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        number = int(rng.integers(len(self.examples)))
        corners, chances = self.places[number]
        busy = rng.random() < BUSY_PART
        corner = corners[rng.choice(len(corners), p=chances if busy else None)]
        symmetry = SYMMETRIES[rng.integers(len(SYMMETRIES))]
        x, y, z = (slice(start, start + self.edge) for start in corner)
        channels, target, counts = (
            self._whole(each[..., x, y, z]) for each in self.examples[number]
        )
        return symmetry.turn_channels(channels), symmetry.turn(target), symmetry.turn(counts)

    def _whole(self, patch: Tensor) -> Tensor:
        missing = [self.edge - length for length in patch.shape[-3:]]
        if not any(missing):
            return patch
        x, y, z = missing
        return torch.nn.functional.pad(patch, (0, z, 0, y, 0, x))


def _busy_places(example: Example, edge: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners of patches (n, 3), and how likely each is to be drawn: where total variation errs."""
    steps = [
        np.unique(
            np.linspace(0, max(0, length - edge), max(1, (length - edge) // 6 + 2)).astype(int)
        )
        for length in example.target.shape
    ]
    corners = np.stack(np.meshgrid(*steps, indexing="ij"), -1).reshape(-1, 3)
    wrong = np.square(example.target, dtype=np.float32) * example.counts
    sums = np.pad(wrong.astype(np.float64).cumsum(0).cumsum(1).cumsum(2), ((1, 0),) * 3)
    ends = np.minimum(corners + edge, example.target.shape)
    total = np.zeros(len(corners))
    for corner in np.ndindex(2, 2, 2):
        at = np.where(corner, ends, corners)
        total += (-1) ** (3 - sum(corner)) * sums[tuple(at.T)]
    # The root, so that quieter places are not left out.
    total = np.sqrt(np.maximum(total, 0)) + 1e-9
    return corners, total / total.sum()


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
