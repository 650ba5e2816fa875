"""How much faster is the training loop as a CUDA graph? A part of `gpu`."""

import time
from collections.abc import Iterator

import torch

from cordinr.acquisition.view import View
from cordinr.inr.problem import build_network, prepare_fit
from cordinr.inr.settings import FitSettings
from cordinr.inr.training import Training

from .markdown import end, heading, row
from .original import as_points, original_choices
from .reconstructions import FOURIER_DIM, MEMBERS
from .subjects import first_of, simulate, subject, whole_subject

TIMED_STEPS = 200
WARM_STEPS = 20


def graph(device: torch.device) -> None:
    """Steps per second of the training loop as a CUDA graph and without one.

    Over 200 steps after the first 20, which include the capture. The last line is the recipe of the
    original study, a wide network with small batches.
    """
    heading("fit", "points per step", "steps/s graphed", "steps/s without", "ratio")
    for name, views, settings in graph_cases():
        problem = prepare_fit(views, FOURIER_DIM, settings, device)
        rates = []
        for graphed in (True, False):
            torch.manual_seed(settings.seed)
            training = Training(
                build_network(problem, settings.seed).to(device),
                problem.groups,
                settings,
                smoothing_weight=problem.smoothing_weight,
                target_weight=problem.target_weight,
            )
            training.graphed.capturable &= graphed
            rates.append(steps_per_second(training, device))
        points = f"{training.points_per_step}"
        row(name, points, *(f"{rate:.0f}" for rate in rates), f"{rates[0] / rates[1]:.2f}")
    end()


def graph_cases() -> Iterator[tuple[str, list[View], FitSettings]]:
    """Names, views and settings of the fits whose steps are timed."""
    small = simulate(subject(first_of("sub-cervical", "phantom-1")).volume)
    yield "small image", small, FitSettings()
    yield "small image, 4 INRs", small, FitSettings(members=MEMBERS)
    yield "full size", simulate(whole_subject().volume), FitSettings()
    yield "original's recipe", list(as_points(small)), FitSettings(**original_choices(["full"]))


def steps_per_second(training: Training, device: torch.device) -> float:
    """Steps of the training loop per second, once it is warm."""
    training.network.train()
    started = 0.0
    for step in range(WARM_STEPS + TIMED_STEPS):
        if step == WARM_STEPS:
            synchronise(device)
            started = time.perf_counter()
        training.step(step)
    synchronise(device)
    return TIMED_STEPS / (time.perf_counter() - started)


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
