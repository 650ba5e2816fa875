"""How fast is a GPU, how much memory does it take, and does it make the same images as a CPU?

Parts: `whole`, `dimensions`, `agreement`, `graph` and `learning`, each told under its heading.
INRs are drawn to the image of the shipped prior unless a line says otherwise. `make gpu` runs the
tests that need a GPU and writes the page of these tables. Options: parts, all by default.
"""

import inspect
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pkgutil import resolve_name
from unittest.mock import patch

import numpy as np
import torch

from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.view import View, intensity_scale
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.imaging.grid import Grid
from cordinr.inr.fit import fit_inr
from cordinr.inr.render import render_inr
from cordinr.inr.settings import FitSettings
from cordinr.inr.training import Progress
from cordinr.prior.prior_file import Prior
from cordinr.prior.shipped import shipped_prior

from .gpu_graph import graph
from .gpu_learning import learning
from .markdown import end, heading, row, say
from .reconstructions import FOURIER_DIM, MEMBERS, default_weight, fov_psnr
from .subjects import first_of, simulate, subject, whole_subject

DIMENSIONS = (32, 64, 128, 256, 512)
SEEDS = (0, 1)
STEPS = {
    "preparation": "cordinr.inr.fit.prepare_fit",
    "of it, total variation": "cordinr.classical.total_variation.least_total_variation",
    "the network of the prior": "cordinr.prior.predict.correct",
    "agreement with the views": "cordinr.prior.predict.agree",
    "training": "cordinr.inr.training.Training.run",
    "rendering": "cordinr.inr.render.render_with_std",
}
"""What a table calls a step of a reconstruction, and the function of the library that takes it."""


@dataclass(frozen=True, eq=False)
class Cost:
    """An INR's rendering, and what it took.

    Attributes:
        image: on the grid of the subject.
        seconds: from the views to the image.
        steps: seconds of each of `STEPS`.
        progress: at the end of the fit.
        allocated_mb, reserved_mb: MiB that torch's tensors took of the GPU at most, and with them
            what torch kept for others; zero on a CPU.
    """

    image: np.ndarray
    seconds: float
    steps: dict[str, float]
    progress: Progress
    allocated_mb: float
    reserved_mb: float


def run(options: Sequence[str], device: torch.device) -> None:
    """Print all parts, or those named."""
    parts: dict[str, Callable[[torch.device], None]] = {
        "whole": whole,
        "dimensions": dimensions,
        "agreement": agreement,
        "graph": graph,
        "learning": learning,
    }
    for name in options:
        if name not in parts:
            sys.exit(f"gpu has no part {name}; there are {', '.join(parts)}.")
    if device.type != "cuda":
        say("There is no GPU here.")
        return
    for name in options or parts:
        started = time.perf_counter()
        say(f"### `python -m benchmarks gpu:{name}`")
        say(inspect.cleandoc(parts[name].__doc__ or ""))
        parts[name](device)
        say(f"It took {time.perf_counter() - started:.0f} s.")


def whole(device: torch.device) -> None:
    """An image of full size, from the views to the rendered volume, F = 512.

    The first line is the first fit of its process, which loads the kernels of the GPU. Memory is
    the peak of torch's tensors, and of all that torch held for them.
    """
    image = whole_subject()
    views, grid = simulate(image.volume), image.volume.grid
    quality = fov_psnr(image.volume.array, coverage(views, grid))
    heading(
        *("fit", "shape", "PSNR fov", "whole s", *(f"{name} s" for name in STEPS)),
        *("M points/s", "MiB of tensors", "MiB held"),
    )
    settings, prior = FitSettings(), shipped_prior()
    fits = (
        ("first", settings, prior),
        ("second", settings, prior),
        ("drawn to total variation", settings, None),
        ("4 INRs", replace(settings, members=MEMBERS), prior),
    )
    for name, *each in fits:
        cost = measured(views, grid, device, FOURIER_DIM, *each)
        row(
            *(name, "x".join(map(str, grid.shape)), f"{quality(cost.image):.2f}"),
            *(f"{seconds:.1f}" for seconds in (cost.seconds, *cost.steps.values())),
            f"{cost.progress.points_per_second / 1e6:.1f}",
            *(f"{memory:.0f}" for memory in (cost.allocated_mb, cost.reserved_mb)),
        )
    end()


def dimensions(device: torch.device) -> None:
    """All Fourier dimensions of one subject of full size, one after the other in one process."""
    image = whole_subject()
    views, grid = simulate(image.volume), image.volume.grid
    quality = fov_psnr(image.volume.array, coverage(views, grid))
    heading("F", "PSNR fov", "whole s", *(f"{name} s" for name in STEPS))
    total, prior = 0.0, shipped_prior()
    for dimension in DIMENSIONS:
        cost = measured(views, grid, device, dimension, FitSettings(), prior)
        total += cost.seconds
        seconds = (f"{each:.1f}" for each in (cost.seconds, *cost.steps.values()))
        row(str(dimension), f"{quality(cost.image):.2f}", *seconds)
    end()
    say(f"Together {total:.1f} s.")


def measured(
    views: Sequence[View],
    grid: Grid,
    device: torch.device,
    fourier_dim: int,
    settings: FitSettings,
    prior: Prior | None = None,
) -> Cost:
    """Fit and render, and note where the time and the memory went."""
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    reports: list[Progress] = []
    started = time.perf_counter()
    with stopwatches() as steps:
        inr = fit_inr(
            views, fourier_dim, settings, device=device, report=reports.append, prior=prior
        )
        image = render_inr(inr, grid, device)
    seconds = time.perf_counter() - started
    memory = [0.0, 0.0]
    if on_gpu:
        peaks = torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)
        memory = [peak / 2**20 for peak in peaks]
    return Cost(image, seconds, steps, reports[-1], *memory)


@contextmanager
def stopwatches() -> Iterator[dict[str, float]]:
    """Measure the seconds that each of `STEPS` takes within the block.

    A profiler will not do: since Python 3.12 it takes the calls of all threads for those of one,
    and on a GPU torch goes backward in a thread of its own.
    """
    spent = dict.fromkeys(STEPS, 0.0)
    with ExitStack() as stack:
        for name, path in STEPS.items():
            stack.enter_context(_timed(name, path, spent))
        yield spent


@contextmanager
def _timed(name: str, path: str, spent: dict[str, float]) -> Iterator[None]:
    """Add the seconds of all calls of a function to those of its name."""
    function = resolve_name(path)

    def timed(*args: object, **kwargs: object) -> object:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] += time.perf_counter() - started

    with patch(path, timed):
        yield


def agreement(device: torch.device) -> None:
    """The same views, settings and seed on the CPU and on the GPU, F = 512.

    PSNR over the fov of either image. "Apart": root mean square of the difference of the images
    over the fov, in percent of the intensity scale of the views, beside that of two seeds on the
    CPU. "Rendered": largest difference of one model, rendered by both, and "TV": of the total
    variation of both, in the same unit.
    """
    cpu, prior = torch.device("cpu"), shipped_prior()
    heading(
        *("image", "seed", "PSNR CPU", "PSNR GPU", "GPU - CPU dB", "apart %", "seeds apart %"),
        *("rendered %", "TV %", "CPU s", "GPU s"),
    )
    for name in dict.fromkeys(first_of(one, "phantom-1") for one in ("sub-cervical", "sub-unf01")):
        image = subject(name)
        views, grid = simulate(image.volume), image.volume.grid
        fov = coverage(views, grid)
        quality, percent = fov_psnr(image.volume.array, fov), 100 / intensity_scale(views)
        weight = default_weight("tv", views)
        tv = [reconstruct_baseline(views, grid, "tv", weight, each) for each in (cpu, device)]
        before = None
        for seed in SEEDS:
            settings, images, seconds = FitSettings(seed=seed), [], []
            for each in (cpu, device):
                started = time.perf_counter()
                inr = fit_inr(views, FOURIER_DIM, settings, device=each, prior=prior)
                images.append(render_inr(inr, grid, each))
                seconds.append(time.perf_counter() - started)
            rendered = np.abs(render_inr(inr, grid, cpu) - images[1]).max()
            scores = [quality(found) for found in images]
            row(
                *(name, str(seed), *(f"{score:.3f}" for score in scores)),
                f"{scores[1] - scores[0]:+.4f}",
                f"{percent * rms((images[1] - images[0])[fov]):.3f}",
                "" if before is None else f"{percent * rms((images[0] - before)[fov]):.3f}",
                f"{percent * rendered:.5f}",
                f"{percent * np.abs(tv[1] - tv[0]).max():.4f}",
                *(f"{each:.1f}" for each in seconds),
            )
            before = images[0]
    end()


def rms(array: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(array))))
