"""Does the margin hold, and does time stay linear, as the volume grows?

Phantom 1 at 0.8 mm, ever more of it: the field of view grows in all directions up to 51 mm right to
left and 100 mm front to back, which is all of the neck, and then along the spine. The analytic
phantom has no end: discs, vertebrae, roots and muscles go on with their own shapes (for 64 levels),
though all are built like the cervical ones. Weights of TV and Tikhonov are tuned up to 1 million
voxels and the defaults beyond. An INR is fitted and rendered in a process of its own; peak memory
is that of the process, torch (about 0.3 GB) and the views included. Options: millions of voxels.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import torch

from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.view import View
from cordinr.evaluation.metrics import evaluate
from cordinr.imaging.grid import Grid
from cordinr.inr.fit import fit_inr
from cordinr.inr.render import render_inr
from cordinr.inr.settings import FitSettings
from cordinr.inr.training import Progress
from cordinr.run.cost_meter import peak_memory_mb

from .markdown import end, heading, row
from .reconstructions import FOURIER_DIM, Reconstruction, classical, default_weight, fov_psnr, tuned
from .subjects import Subject, phantom_subject, simulate

MEGAVOXELS = (0.2, 0.8, 3.0, 6.5)
VOXEL_MM = 0.8
SMALLEST_MM = np.array([40.0, 64.0, 40.0])
"""Right-left, front-back and along the spine: 0.2 million voxels."""

WIDEST_MM = np.array([51.2, 100.0, np.inf])
TUNED_UP_TO = 1.0
SUPERSAMPLE = 2
METHODS = ("tikhonov", "tv")


@dataclass(frozen=True, eq=False)
class Cost:
    """An INR's rendering, and what it took.

    Attributes:
        image: on the grid of the subject.
        fit_seconds, render_seconds: of either step.
        points_per_second: drawn by the fit; alike for all sizes where its time is linear.
        fit_mb, peak_mb: peak memory of the process after the fit and at the end.
        gpu_mb: what torch held on the GPU at most, None without one.
    """

    image: np.ndarray
    fit_seconds: float
    render_seconds: float
    points_per_second: float
    fit_mb: float
    peak_mb: float
    gpu_mb: float | None


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of sizes."""
    heading(
        *("million voxels", "shape", "PSNR Tikhonov", "PSNR TV", "PSNR INR", "INR - Tikhonov"),
        *("INR - TV", "SSIM - TV", "TV s", "fit s", "M points/s", "render s"),
        *("MB after fit", "MB after render", "MB on GPU"),
    )
    for size in [float(option) for option in options] or MEGAVOXELS:
        grid = spine_grid(size)
        image = phantom_subject(1, grid, SUPERSAMPLE)
        views = simulate(image.volume)
        cost = apart(views, grid, device, FitSettings())
        row(*cells(image, views, cost, tune=size <= TUNED_UP_TO))
    end()


def spine_grid(megavoxels: float) -> Grid:
    """A grid of `VOXEL_MM` with about so many million voxels, its back always at one place."""
    volume = megavoxels * 1e6 * VOXEL_MM**3
    extent = SMALLEST_MM * (volume / SMALLEST_MM.prod()) ** (1 / 3)
    extent = np.minimum(extent, WIDEST_MM)
    extent[2] = volume / extent[:2].prod()
    shape = np.rint(extent / VOXEL_MM).astype(int)
    affine = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    affine[:3, 3] = -VOXEL_MM * (shape - 1) / 2
    affine[1, 3] = VOXEL_MM / 2 - SMALLEST_MM[1] / 2
    return Grid(tuple(int(n) for n in shape), affine)


def cells(image: Subject, views: Sequence[View], cost: Cost, *, tune: bool) -> list[str]:
    """A line of the table: the INR against both baselines, and its cost."""
    grid, truth = image.volume.grid, image.volume.array
    fov = {"fov": coverage(views, grid)}
    found = {method: baseline(views, image, fov["fov"], method, tune) for method in METHODS}
    scores = {name: evaluate(each.image, truth, fov) for name, each in found.items()}
    scores["inr"] = evaluate(cost.image, truth, fov)
    psnr = {name: each["psnr_fov"] for name, each in scores.items()}
    million = grid.size / 1e6
    return [
        f"{million:.2f}",
        "x".join(map(str, grid.shape)),
        *(f"{psnr[name]:.2f}" for name in (*METHODS, "inr")),
        *(f"{psnr['inr'] - psnr[method]:+.2f}" for method in METHODS),
        f"{scores['inr']['ssim_fov'] - scores['tv']['ssim_fov']:+.4f}",
        f"{found['tv'].seconds:.0f}",
        f"{cost.fit_seconds:.0f}",
        f"{cost.points_per_second / 1e6:.3f}",
        f"{cost.render_seconds:.1f}",
        *(f"{memory:.0f}" for memory in (cost.fit_mb, cost.peak_mb)),
        "" if cost.gpu_mb is None else f"{cost.gpu_mb:.0f}",
    ]


def baseline(
    views: Sequence[View], image: Subject, fov: np.ndarray, method: str, tune: bool
) -> Reconstruction:
    """Tuned on the reference, or with the default weight."""
    grid = image.volume.grid
    if tune:
        return tuned(views, grid, method, fov_psnr(image.volume.array, fov))
    return classical(views, grid, method, default_weight(method, views))


def apart(views: Sequence[View], grid: Grid, device: torch.device, settings: FitSettings) -> Cost:
    """`fit_and_measure` in a fresh process, so that its memory is its own."""
    arguments = views, grid, device, settings, torch.get_num_threads()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(fit_and_measure, *arguments).result()


def fit_and_measure(
    views: Sequence[View], grid: Grid, device: torch.device, settings: FitSettings, threads: int
) -> Cost:
    """Fit one INR and render it."""
    torch.set_num_threads(threads)
    started = time.perf_counter()
    reports: list[Progress] = []
    inr = fit_inr(views, FOURIER_DIM, settings, device=device, report=reports.append)
    fitted, after_fit = time.perf_counter(), peak_memory_mb()
    image = render_inr(inr, grid, device)
    rendered = time.perf_counter()
    gpu = torch.cuda.max_memory_allocated(device) / 1024**2 if device.type == "cuda" else None
    seconds, rate = (fitted - started, rendered - fitted), reports[-1].points_per_second
    return Cost(image, *seconds, rate, after_fit, peak_memory_mb(), gpu)
