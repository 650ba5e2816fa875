"""How fast is a prior learnt on a GPU? A part of `gpu`."""

from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import torch

from cordinr.prior import learning as prior_learning
from cordinr.prior.examples import CROP_VOXELS, Example
from cordinr.prior.features import CHANNELS
from cordinr.prior.learning import LearningReport, LearningSettings, learn
from cordinr.prior.network import PriorArchitecture, PriorNetwork

from .markdown import end, heading, row, say

SEEDS = (0, 1)
LEARNING = LearningSettings(steps=200, batch=16)
"""Of the prior whose steps are timed; it reports every 50 of them."""

LEARNING_KINDS = {
    "bfloat16": (torch.bfloat16, torch.channels_last_3d),
    "bfloat16, contiguous": (torch.bfloat16, torch.contiguous_format),
    "float32": (torch.float32, torch.channels_last_3d),
}
"""Types of the convolutions and orders of the axes with which a prior learns; the first is ours."""


def learning(device: torch.device) -> None:
    """Steps per second of a prior that is learnt, on patches of 48 x 48 x 48 voxels.

    Of random examples of the usual size, as what they show does not change the time. The first 50
    steps, in which cuDNN tries its algorithms, are told apart. The first line is how `cordinr
    learn` computes on a GPU.
    """
    architecture = PriorArchitecture(CHANNELS)
    weights = sum(each.numel() for each in PriorNetwork(architecture).parameters())
    examples = [random_example(seed, CROP_VOXELS) for seed in SEEDS]
    heading("convolutions", "batch", "ms per step", "steps/s", "patches/s", "first 50 steps, s")
    for name, (kind, layout) in LEARNING_KINDS.items():
        with (
            patch.object(prior_learning, "CUDA_TYPE", kind),
            patch.object(prior_learning, "LAYOUT", layout),
        ):
            rate, first = learning_rate(examples, LEARNING, architecture, device)
        row(
            *(name, f"{LEARNING.batch}", f"{1000 / rate:.1f}", f"{rate:.1f}"),
            *(f"{LEARNING.batch * rate:.0f}", f"{first:.1f}"),
        )
    end()
    say(f"The network has {weights:,} weights.")


def random_example(seed: int, shape: tuple[int, int, int]) -> Example:
    """An example of noise, of which all voxels count."""
    rng = np.random.default_rng(seed)
    channels = rng.normal(size=(CHANNELS, *shape)).astype(np.float16)
    target = rng.normal(size=shape).astype(np.float16)
    return Example(f"sub-{seed}", channels, target, np.ones(shape, bool), np.ones((2, 2)), 0.0)


def learning_rate(
    examples: Sequence[Example],
    settings: LearningSettings,
    architecture: PriorArchitecture,
    device: torch.device,
) -> tuple[float, float]:
    """Steps per second of learning a prior after its first report, and the seconds until then."""
    reports: list[LearningReport] = []
    learn(examples, settings, architecture=architecture, device=device, report=reports.append)
    first, last = reports[0], reports[-1]
    return (last.step - first.step) / (last.seconds - first.seconds), first.seconds
