"""A fit that is small enough to look into."""

from pathlib import Path
from typing import Any

import torch

from cordinr.imaging.volume import Volume
from cordinr.inr.problem import build_network, prepare_fit
from cordinr.inr.settings import FitSettings
from cordinr.inr.training import Training
from tests.helpers.support import two_views


def small_training(
    volume: Volume, members: int = 1, checkpoint: Path | None = None, **weights: Any
) -> Training:
    """Train a small network on two views of a volume; `weights` replace those of the loss."""
    settings = FitSettings(
        encoding="none",
        width=8,
        channels=2,
        activation="relu",
        batch=256,
        passes=16,
        members=members,
    )
    problem = prepare_fit(two_views(volume), 1, settings, torch.device("cpu"))
    of_problem = {
        "smoothing_weight": problem.smoothing_weight,
        "target_weight": problem.target_weight,
    }
    network = build_network(problem, settings.seed)
    return Training(
        network, problem.groups, settings, checkpoint=checkpoint, **(of_problem | weights)
    )
