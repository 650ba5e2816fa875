"""Every way of reconstructing a volume, timed, scored, and compared with tuned total variation."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import yaml
from scipy.ndimage import map_coordinates, spline_filter

from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.view import View
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.classical.weights import automatic_weight
from cordinr.evaluation.metrics import evaluate, psnr
from cordinr.imaging.body import foreground, intensity_range
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.inr.fit import fit_inr
from cordinr.inr.render import render_with_std
from cordinr.inr.settings import FitSettings
from cordinr.prior.prior_file import Prior

from .subjects import Subject

ROOT = Path(__file__).parents[1]
FOURIER_DIM = 512
MEMBERS = 4
WEIGHTS = {
    "tikhonov": (0.0003, 0.001, 0.002, 0.003, 0.006, 0.01, 0.03),
    "tv": (0.0003, 0.0007, 0.001, 0.0015, 0.002, 0.004, 0.008),
}
"""What `tuned` chooses from; the defaults for views without noise are among them."""

FURTHER = 4
"""How many more weights `tuned` tries where the best is at an end of its list."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """An image and what it took.

    Attributes:
        name: of the method, with its weight.
        image: on the grid that was asked for.
        seconds: until the image was there; of a tuned method, with the best weight alone.
        std: standard deviation over the members, where there are several.
    """

    name: str
    image: np.ndarray
    seconds: float
    std: np.ndarray | None = None


@dataclass(frozen=True)
class Result:
    """A line of a comparison.

    Attributes:
        method, seconds: as `Reconstruction`.
        scores: as `metrics.evaluate`.
        margin: PSNR (dB) and SSIM over the fov above tuned total variation; None for baselines.
    """

    method: str
    seconds: float
    scores: Mapping[str, float]
    margin: tuple[float, float] | None = None

    def cells(self, *regions: str) -> list[str]:
        """Method, PSNR and SSIM per region, both margins and seconds, as cells of a table."""
        numbers = []
        for region in regions:
            known = f"psnr_{region}" in self.scores
            numbers.append(f"{self.scores[f'psnr_{region}']:.2f}" if known else "")
            numbers.append(f"{self.scores[f'ssim_{region}']:.4f}" if known else "")
        margins = [f"{self.margin[0]:+.2f}", f"{self.margin[1]:+.4f}"] if self.margin else ["", ""]
        return [self.method, *numbers, *margins, f"{self.seconds:.1f}"]

    @staticmethod
    def columns(*regions: str) -> list[str]:
        """Headings of `cells`."""
        names = [f"{metric} {region}" for region in regions for metric in ("PSNR", "SSIM")]
        return ["method", *names, "PSNR - TV", "SSIM - TV", "seconds"]


def compare(
    subject: Subject, views: Sequence[View], device: torch.device, *, ensemble: bool
) -> Iterator[Result]:
    """All methods on one image: cubic, Tikhonov, total variation, one INR, and an ensemble."""
    grid, reference = subject.volume.grid, subject.volume.array
    regions = regions_of(subject, views)
    quality = fov_psnr(reference, regions["fov"])

    def judge(found: Reconstruction) -> Result:
        return Result(found.name, found.seconds, evaluate(found.image, reference, regions))

    yield judge(classical(views, grid, "cubic", 0.0))
    yield judge(tuned(views, grid, "tikhonov", quality))
    variation = judge(tuned(views, grid, "tv", quality))
    yield variation
    for members in (1, MEMBERS) if ensemble else (1,):
        result = judge(fit_and_render(views, grid, device, members=members))
        yield replace(result, margin=margin(result.scores, variation.scores))


def regions_of(subject: Subject, views: Sequence[View]) -> dict[str, np.ndarray]:
    """The regions of the metrics as bool arrays; `cord` where it is drawn."""
    volume = subject.volume
    fov = coverage(views, volume.grid)
    regions = {"fov": fov, "fg": fov & foreground(volume.array, volume.grid.voxel_sizes)}
    return regions if subject.cord is None else regions | {"cord": fov & subject.cord}


def fov_psnr(reference: np.ndarray, fov: np.ndarray) -> Callable[[np.ndarray], float]:
    """The score that weights are tuned by."""
    peak = intensity_range(reference)
    return lambda image: psnr(image, reference, fov, peak)


def margin(scores: Mapping[str, float], bar: Mapping[str, float]) -> tuple[float, float]:
    """PSNR (dB) and SSIM over the fov above those of `bar`."""
    return scores["psnr_fov"] - bar["psnr_fov"], scores["ssim_fov"] - bar["ssim_fov"]


def default_weight(method: str, views: Sequence[View]) -> float:
    """The weight that `config.yaml` asks for, of these views."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    weight = config["baselines"][f"{method}_weight"]
    return automatic_weight(views, method) if weight == "auto" else float(weight)


def classical(views: Sequence[View], grid: Grid, method: str, weight: float) -> Reconstruction:
    """A baseline with a given weight."""
    started = time.perf_counter()
    image = reconstruct_baseline(views, grid, method, weight)
    name = f"{method} {weight:.2g}" if weight else method
    return Reconstruction(name, image, time.perf_counter() - started)


def tuned(
    views: Sequence[View], grid: Grid, method: str, quality: Callable[[np.ndarray], float]
) -> Reconstruction:
    """A baseline with the weight that is best by `quality`, which knows the truth.

    The weights are those of `WEIGHTS`, and further ones, up to `FURTHER`, where the best so far is
    the smallest or the largest.
    """
    scores, best, waiting = {}, None, list(WEIGHTS[method])
    while waiting:
        for weight in waiting:
            found = classical(views, grid, method, weight)
            scores[weight] = quality(found.image)
            if scores[weight] == max(scores.values()):
                best, best_weight = found, weight
        further = {min(scores): best_weight / 3, max(scores): best_weight * 3}
        more = len(scores) < len(WEIGHTS[method]) + FURTHER
        waiting = [further[best_weight]] if more and best_weight in further else []
    return best


def fit_and_render(
    views: Sequence[View],
    grid: Grid,
    device: torch.device,
    fourier_dim: int = FOURIER_DIM,
    prior: Prior | None = None,
    **choices: object,
) -> Reconstruction:
    """An INR, or an ensemble with `members=4`; `choices` are those of `FitSettings`.

    Where a prior draws it, `std` is its standard error.
    """
    settings = FitSettings(**choices)
    started = time.perf_counter()
    inr = fit_inr(views, fourier_dim, settings, device=device, prior=prior)
    image, std = render_with_std(inr, grid, device)
    several = settings.members > 1
    name = f"{settings.members} INRs F={fourier_dim}" if several else f"INR F={fourier_dim}"
    seconds = time.perf_counter() - started
    return Reconstruction(name, image, seconds, std if several or prior else None)


def upsampled(volume: Volume, fine: Grid) -> np.ndarray:
    """Cubic spline interpolation of a volume at the voxel centres of another grid; float32."""
    coefficients = spline_filter(volume.array, order=3, mode="nearest", output=np.float32)
    image = np.empty(fine.size, np.float32)
    for block, centres in fine.blocks():
        index = volume.grid.index(centres)
        image[block] = map_coordinates(
            coefficients, index.T, order=3, mode="nearest", prefilter=False
        )
    return image.reshape(fine.shape)
