"""What does the Fourier dimension do, and how much of it is luck?

One INR per dimension and seed on `sub-cervical` (`phantom-1` where that is missing), all else at
its default; PSNR and SSIM over the fov. `benchmarks/ablation.png` shows mean and range over the
seeds. Options: seeds, 0 1 2 by default.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cordinr.evaluation.metrics import evaluate
from cordinr.figures.plane_page import save_figure
from cordinr.methods import BASELINES, INR

from .markdown import end, heading, row, say
from .reconstructions import fit_and_render, fov_psnr, regions_of, tuned
from .subjects import Subject, first_of, simulate, subject

DIMENSIONS = (32, 64, 128, 256, 512)
SEEDS = (0, 1, 2)
PICTURE = Path(__file__).with_name("ablation.png")
METRICS = {"psnr_fov": ("PSNR (dB)", ".2f"), "ssim_fov": ("SSIM", ".4f")}
"""Axis label and number format of each metric."""


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table, say how monotone it is, and draw it."""
    image = subject(first_of("sub-cervical", "phantom-1"))
    seeds = [int(option) for option in options] or SEEDS
    scores = measure(image, seeds, device)
    psnr = scores["psnr_fov"]
    steps = np.diff(psnr.mean(axis=1))
    least = int(steps.argmin())
    say(
        f"The smallest step of the mean PSNR to the next dimension is {steps[least]:+.2f} dB "
        f"(F={DIMENSIONS[least]} to {DIMENSIONS[least + 1]}); the seeds of one dimension differ by "
        f"up to {np.ptp(psnr, axis=1).max():.2f} dB."
    )
    save_figure(PICTURE, draw(scores, baselines(image), f"{image.name}, {len(seeds)} seeds"))


def measure(image: Subject, seeds: Sequence[int], device: torch.device) -> dict[str, np.ndarray]:
    """Scores of shape (dimensions, seeds) for each of `METRICS`, printed on the way."""
    views = simulate(image.volume)
    fov = {"fov": regions_of(image, views)["fov"]}
    scores = {key: np.empty((len(DIMENSIONS), len(seeds))) for key in METRICS}
    columns = [f"{key[:4].upper()} {what}" for key in METRICS for what in ("mean", "min", "max")]
    heading("F", *columns, "seconds per INR")
    for k, dim in enumerate(DIMENSIONS):
        seconds = 0.0
        for j, seed in enumerate(seeds):
            found = fit_and_render(views, image.volume.grid, device, dim, seed=seed)
            seconds += found.seconds / len(seeds)
            for key, value in evaluate(found.image, image.volume.array, fov).items():
                if key in scores:
                    scores[key][k, j] = value
        cells = []
        for key, (_, style) in METRICS.items():
            each = scores[key][k]
            cells += [f"{score:{style}}" for score in (each.mean(), each.min(), each.max())]
        row(str(dim), *cells, f"{seconds:.1f}")
    end()
    return scores


def baselines(image: Subject) -> dict[str, Mapping[str, float]]:
    """Scores of tuned Tikhonov and total variation."""
    views = simulate(image.volume)
    fov = regions_of(image, views)["fov"]
    quality = fov_psnr(image.volume.array, fov)
    found = {}
    for method in ("tikhonov", "tv"):
        best = tuned(views, image.volume.grid, method, quality).image
        found[method] = evaluate(best, image.volume.array, {"fov": fov})
    return found


def draw(
    scores: Mapping[str, np.ndarray], levels: Mapping[str, Mapping[str, float]], title: str
) -> Figure:
    """Mean (line), range (band) and every seed (points) against dimension; baselines as lines."""
    figure = Figure(figsize=(3.94, 4.3))
    for key, bottom in zip(METRICS, (0.56, 0.12), strict=True):
        axes = figure.add_axes((0.19, bottom, 0.77, 0.37), label=key)
        axes.set_ylabel(METRICS[key][0], fontsize=9)
        _curve(axes, scores[key])
        for method, level in levels.items():
            style = BASELINES[method]
            axes.axhline(
                level[key],
                color=style.colour,
                linestyle=style.dashes,
                linewidth=1.5,
                label=style.name,
            )
    figure.axes[0].legend(fontsize=8, frameon=False)
    figure.axes[1].set_xlabel("Fourier dimension", fontsize=9)
    figure.align_ylabels()
    figure.text(0.05, 0.955, f"Common field of view, {title}", fontsize=8.5)
    return figure


def _curve(axes: Axes, scores: np.ndarray) -> None:
    label, colour = INR.name, INR.colour
    low, high = scores.min(axis=1), scores.max(axis=1)
    axes.fill_between(DIMENSIONS, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(DIMENSIONS, scores.mean(axis=1), color=colour, linewidth=2, label=label)
    for each in scores.T:
        axes.plot(DIMENSIONS, each, color=colour, linestyle="", marker="o", markersize=3)
    axes.set_xscale("log", base=2)
    axes.set_xticks(DIMENSIONS, [str(dim) for dim in DIMENSIONS])
    axes.set_xticks([], minor=True)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
