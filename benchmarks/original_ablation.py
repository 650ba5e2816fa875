"""Is the Fourier dimension worth anything where no lattices carry the detail?

The original study's ablation, F = 32 to 512 and, at F = 512, its scales 2, 4 and 8, with four
recipes on the same box views: `original`, which is `workflow/original.yaml` (point samples);
`profile`, the same with the slice profile; `plain`, our defaults without lattices
(`fit.channels: 0`); and `ours`. PSNR and SSIM over the fov and by the original study's own
protocol. `benchmarks/original-ablation.tsv` keeps what was measured, a line per fit, and is gone on
with; `benchmarks/original-ablation.png` shows the means beside the published numbers. Every process
fits one INR at a time. A batch of the original is 1,024 voxels and at least 1/48 of all, 1,375 and
2,460 here. Options: `processes=4`, `epochs=50` of the original's recipe, `seeds=2`,
`minutes=4` after which no other fit is begun; 0 shows what there is.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from math import isfinite
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cordinr.errors import first_line
from cordinr.evaluation.metrics import evaluate
from cordinr.figures.plane_page import save_figure

from .ablation import DIMENSIONS
from .markdown import end, heading, row, say
from .original import as_points, original_choices
from .reconstructions import fit_and_render, regions_of
from .subjects import first_of, simulate, subject

TABLE = Path(__file__).with_name("original-ablation.tsv")
PICTURE = TABLE.with_suffix(".png")
PROCESSES, EPOCHS, SEEDS = 4, 50.0, 2
SCALES = {2: 0.0156, 4: 0.031, 8: 0.0625}
"""The original study's scales, on coordinates of [-1, 1] over 256 mm, in cycles per millimetre."""

RECIPES = {
    "ours": ("ours", "#1b7837"),
    "plain": ("ours without lattices", "#7570b3"),
    "original": ("original's recipe", "#b15928"),
    "profile": ("with the slice profile", "#e08214"),
}
"""Names for people, and colours."""

PUBLISHED = {
    (32, 4): (29.17, 0.8895),
    (64, 4): (29.60, 0.8965),
    (128, 4): (29.60, 0.8968),
    (256, 4): (29.59, 0.8973),
    (512, 4): (29.68, 0.9007),
    (512, 2): (29.43, 0.9044),
    (512, 8): (29.29, 0.8783),
}
"""PSNR and SSIM of the original study, by dimension and scale: another image, other views, and a
protocol of its own, so that only differences between its own numbers can be compared."""

METRICS = ("psnr_fov", "ssim_fov", "psnr_original", "ssim_original")


@dataclass(frozen=True)
class Fit:
    """One line of the table, before it is measured.

    Attributes:
        image: its name.
        recipe: a key of `RECIPES`.
        fourier_dim: number of Fourier frequencies.
        scale: a key of `SCALES`; 4 where the recipe has a standard deviation of its own.
        seed: of the fit.
        epochs: of the original's network; 0 for those with our own budget.
    """

    image: str
    recipe: str
    fourier_dim: int
    scale: int
    seed: int
    epochs: float

    @property
    def key(self) -> tuple[str, ...]:
        """The line's cells, as in the file."""
        return tuple(
            f"{value:g}" if isinstance(value, float) else str(value)
            for value in asdict(self).values()
        )


def run(options: Sequence[str], device: torch.device) -> None:
    """Measure what is not in the table yet, and print and draw all of it."""
    chosen = dict(option.split("=") for option in options)
    processes = int(chosen.get("processes", PROCESSES if device.type == "cuda" else 1))
    epochs, seeds = float(chosen.get("epochs", EPOCHS)), int(chosen.get("seeds", SEEDS))
    fits = list(all_fits(epochs, range(seeds)))
    known = read()
    minutes = float(chosen.get("minutes", "inf"))
    waiting = [fit for fit in fits if fit.key not in known] if minutes else []
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        threads = max(1, torch.get_num_threads() // processes)
        futures = {pool.submit(measure, fit, str(device), threads): fit for fit in waiting}
        limit = 60 * minutes if isfinite(minutes) else None
        try:
            for future in as_completed(futures, timeout=limit):
                _keep(futures[future], future)
        except TimeoutError:
            pool.shutdown(wait=False, cancel_futures=True)
    known = read()
    say(f"{sum(fit.key in known for fit in fits)} of {len(fits)} fits are in the table.")
    scores = {fit: known_scores for fit in fits if (known_scores := known.get(fit.key))}
    show(scores)
    save_figure(PICTURE, draw(scores))


def _keep(fit: Fit, future: Future) -> None:
    """Add the line of a fit, or say what went wrong: one fit is not to cost the others."""
    try:
        append(fit, future.result())
    except Exception as error:
        say(f"{' '.join(fit.key)}: {first_line(error)}")


def all_fits(epochs: float, seeds: Sequence[int]) -> Iterator[Fit]:
    """The dimensions of every recipe and the scales of the original's, the quick recipes first."""
    images = [first_of("sub-cervical-crop", "phantom-1"), first_of("sub-unf01", "phantom-2")]
    for recipe in RECIPES:
        wide = recipe in ("original", "profile")
        pairs = [(dimension, 4) for dimension in DIMENSIONS]
        pairs += [(DIMENSIONS[-1], scale) for scale in SCALES if wide and scale != 4]
        for seed in seeds:
            for image in images:
                for dimension, scale in pairs:
                    yield Fit(image, recipe, dimension, scale, seed, epochs if wide else 0.0)


def settings_of(fit: Fit) -> dict[str, object]:
    """Choices of `FitSettings`."""
    if fit.recipe == "ours":
        return {"seed": fit.seed}
    if fit.recipe == "plain":
        return {"seed": fit.seed, "channels": 0}
    recipe = original_choices([f"{fit.epochs:g}"])
    return recipe | {"seed": fit.seed, "sigma": SCALES[fit.scale]}


def measure(fit: Fit, device: str, threads: int) -> dict[str, float]:
    """Fit one INR in a process of its own; its scores, seconds and settings' passes."""
    torch.set_num_threads(threads)
    image = subject(fit.image)
    views = simulate(image.volume)
    seen = list(as_points(views)) if fit.recipe == "original" else views
    choices = settings_of(fit)
    found = fit_and_render(
        seen, image.volume.grid, torch.device(device), fit.fourier_dim, **choices
    )
    fov = {"fov": regions_of(image, views)["fov"]}
    scores = evaluate(found.image, image.volume.array, fov)
    return {key: scores.get(key, float("nan")) for key in METRICS} | {"seconds": found.seconds}


def read() -> dict[tuple[str, ...], dict[str, float]]:
    """The scores of every line of the file, by its `Fit.key`."""
    if not TABLE.exists():
        return {}
    with TABLE.open(newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    names = list(Fit.__dataclass_fields__)
    return {
        tuple(line[name] for name in names): {
            key: float(value) for key, value in line.items() if key not in names
        }
        for line in lines
        if None not in line.values()
    }


def append(fit: Fit, scores: Mapping[str, float]) -> None:
    """Add a line, and the head of the file if there is none yet."""
    is_new = not TABLE.exists()
    with TABLE.open("a", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        if is_new:
            writer.writerow([*Fit.__dataclass_fields__, *scores])
        writer.writerow([*fit.key, *(f"{value:.5g}" for value in scores.values())])


def show(scores: Mapping[Fit, Mapping[str, float]]) -> None:
    """A line per image, recipe, dimension and scale: means over the seeds, and how far apart."""
    heading(
        *("image", "recipe", "F", "scale", "PSNR fov", "seeds apart", "SSIM fov"),
        *("PSNR original", "SSIM original", "seconds"),
    )
    for image, recipe, dimension, scale in dict.fromkeys(
        (fit.image, fit.recipe, fit.fourier_dim, fit.scale) for fit in scores
    ):
        lines = of(scores, image, recipe, dimension, scale)
        mean = {key: float(np.mean([line[key] for line in lines])) for key in lines[0]}
        apart = np.ptp([line["psnr_fov"] for line in lines])
        row(
            *(image, recipe, str(dimension), str(scale), f"{mean['psnr_fov']:.2f}"),
            *(f"{apart:.2f}", f"{mean['ssim_fov']:.4f}", f"{mean['psnr_original']:.2f}"),
            *(f"{mean['ssim_original']:.4f}", f"{mean['seconds']:.1f}"),
        )
    end()
    heading("published: F", "scale", "PSNR", "SSIM")
    for (dimension, scale), (psnr, ssim) in PUBLISHED.items():
        row(str(dimension), str(scale), f"{psnr:.2f}", f"{ssim:.4f}")
    end()
    for image in dict.fromkeys(fit.image for fit in scores):
        gains = (
            f"{recipe} {np.mean(last) - np.mean(first):+.2f}"
            for recipe in RECIPES
            if (first := psnr_of(scores, image, recipe, DIMENSIONS[0]))
            and (last := psnr_of(scores, image, recipe, DIMENSIONS[-1]))
        )
        say(f"{image}, PSNR fov from F = 32 to F = 512: {', '.join(gains)}. Published: +0.51.")


def of(
    scores: Mapping[Fit, Mapping[str, float]], image: str, recipe: str, dimension: int, scale: int
) -> list[Mapping[str, float]]:
    """The scores of all seeds of one fit."""
    wanted = image, recipe, dimension, scale
    return [
        line
        for fit, line in scores.items()
        if (fit.image, fit.recipe, fit.fourier_dim, fit.scale) == wanted
    ]


def psnr_of(
    scores: Mapping[Fit, Mapping[str, float]], image: str, recipe: str, dimension: int
) -> list[float]:
    """PSNR over the fov of all seeds at the scale that all recipes have."""
    return [line["psnr_fov"] for line in of(scores, image, recipe, dimension, 4)]


def draw(scores: Mapping[Fit, Mapping[str, float]]) -> Figure:
    """PSNR above that of F = 32, against dimension, a panel per image; the published one dashed."""
    images = list(dict.fromkeys(fit.image for fit in scores))
    figure = Figure(figsize=(3.5 * max(1, len(images)), 3.2), layout="constrained")
    panels = figure.subplots(1, max(1, len(images)), squeeze=False, sharey=True)[0]
    for axes, image in zip(panels, images, strict=False):
        for recipe, (name, colour) in RECIPES.items():
            found = {d: psnr_of(scores, image, recipe, d) for d in DIMENSIONS}
            if all(found.values()):
                level = np.mean(found[DIMENSIONS[0]])
                label = f"{name}, {level:.1f} dB"
                _curve(axes, {d: np.array(v) - level for d, v in found.items()}, label, colour)
        base = PUBLISHED[DIMENSIONS[0], 4][0]
        gains = [PUBLISHED[dimension, 4][0] - base for dimension in DIMENSIONS]
        label = f"published, {base:.1f} dB"
        axes.plot(DIMENSIONS, gains, color="black", linestyle="--", linewidth=1, label=label)
        axes.set_xscale("log", base=2)
        axes.set_xticks(DIMENSIONS, [str(dimension) for dimension in DIMENSIONS])
        axes.set_xticks([], minor=True)
        axes.set_title(image, fontsize=9)
        axes.set_xlabel("Fourier dimension", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=7, frameon=False, title="PSNR at F = 32", title_fontsize=7)
    panels[0].set_ylabel("PSNR above F = 32 (dB)", fontsize=9)
    return figure


def _curve(axes: Axes, found: Mapping[int, np.ndarray], label: str, colour: str) -> None:
    """The mean over the seeds as a line, and every seed as a point."""
    axes.plot(
        list(found), [v.mean() for v in found.values()], color=colour, linewidth=1.8, label=label
    )
    for dimension, values in found.items():
        places = [dimension] * len(values)
        axes.plot(places, values, color=colour, linestyle="", marker="o", markersize=3)
