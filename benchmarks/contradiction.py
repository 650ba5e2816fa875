"""Scans that contradict each other: how closely should they be followed, and by which method?

Axial and sagittal slices of four voxels from the middle of each image of the cohort, each scan of
an object that was spoilt in its own way: `warp`, a smooth displacement of 1 or 2 voxels (root mean
square along each axis, over 12 voxels); `fat`, bright tissue moved by 2 or 4 voxels along the
second axis, one way in one scan and the other way in the other, as chemistry does; `contrast`,
intensities times a smooth factor of 25 %. `noise` alone for comparison. The scans are aligned, and
total variation and Tikhonov take their automatic weights with 1, 5 and 10 times the variance of the
contradiction (`CONTRADICTION_FACTOR`); "mean" is that of both images. PSNR (dB) against the image
that was not spoilt, over the body that both scans see. Options: names of people.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, map_coordinates, shift

from cordinr.acquisition.noise import contradiction, excess_noise
from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View, intensity_scale
from cordinr.alignment.modes import align
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.classical.weights import NOISE_FREE_WEIGHTS, WEIGHTS_PER_NOISE
from cordinr.evaluation.metrics import psnr
from cordinr.imaging.body import foreground, intensity_range
from cordinr.imaging.volume import Volume, load_volume
from cordinr.prior.random_views import with_noise
from cordinr.prior.scores import middle

from .alignment import COHORT
from .markdown import end, heading, row, say

EDGE, THICKNESS = 64, 4
"""Largest number of voxels of an object along an axis, and voxels of a slice."""

KINDS = (
    ("noise", 0.02, 0.02),
    ("noise", 0.05, 0.05),
    ("warp", 1.0, 0.01),
    ("warp", 2.0, 0.0),
    ("fat", 2.0, 0.01),
    ("fat", 4.0, 0.0),
    ("contrast", 0.25, 0.0),
)
"""How an object is spoilt, by how much, and the noise of its scans."""

FACTORS = (1, 5, 10)


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of people, kinds and methods, then means over people and kinds."""
    paths = sorted(COHORT.glob("sub-*/anat/*_T2w.nii.gz"))
    if not paths:
        say(f"There are no images at {COHORT}.")
        return
    methods = [f"{name} x{factor}" for factor in FACTORS for name in ("TV", "Tikhonov", "mean")]
    heading("image", "kind", "amount", *methods)
    gains = []
    for path in paths:
        name = path.name.split("_")[0]
        if options and name not in options:
            continue
        image, rng = middle(load_volume(path), EDGE), np.random.default_rng(3)
        for kind, amount, noise in KINDS:
            views = spoilt_views(image, kind, amount, noise, rng)
            scores = compare(image, views, device)
            row(name, kind, amount, *(f"{score:.2f}" for score in scores))
            if kind != "noise":
                gains.append(np.array(scores) - scores[0])
    end()
    means = zip(methods, np.mean(gains, axis=0), strict=True)
    said = ", ".join(f"{method} {gain:+.2f}" for method, gain in means)
    say(f"Mean gain over {methods[0]} (dB) where scans contradict each other: {said}.")


def spoilt_views(
    image: Volume, kind: str, amount: float, noise: float, rng: np.random.Generator
) -> list[View]:
    """An axial and a sagittal scan of an object, each spoilt in its own way, with what it says."""
    views = []
    for sign, letter in ((1, "S"), (-1, "R")):
        object_ = spoil(image, kind, sign * amount, rng)
        axis = image.grid.axis_along(letter)
        thickness = THICKNESS * float(image.grid.voxel_sizes[axis])
        view = acquire(object_, axis, SliceProfile("box", thickness), thickness)
        if noise:
            view = with_noise(view, noise * float(np.percentile(image.array, 99.9)), rng)
        views.append(view)
    found = align(views)
    return [replace(view, disagreement=found.disagreement(k)) for k, view in enumerate(views)]


def spoil(image: Volume, kind: str, amount: float, rng: np.random.Generator) -> Volume:
    """An object as a scan might distort it; the names are those of `KINDS`."""
    array = image.array.astype(float)

    def smooth(voxels: float) -> np.ndarray:
        field = gaussian_filter(rng.normal(size=array.shape), voxels)
        return field / field.std()

    if kind == "warp":
        index = np.indices(array.shape) + amount * np.stack([smooth(12) for _ in range(3)])
        array = map_coordinates(array, index, order=3, mode="nearest")
    elif kind == "fat":
        bright = np.percentile(array, 90)
        fat = array * np.clip((array - 0.8 * bright) / (0.4 * bright), 0, 1)
        array = array - fat + shift(fat, (0, amount, 0), order=1, mode="nearest")
    elif kind == "contrast":
        array = array * np.exp(amount * smooth(6))
    return Volume(array.astype(np.float32), image.grid)


def compare(image: Volume, views: Sequence[View], device: torch.device) -> list[float]:
    """PSNR of total variation, Tikhonov and their mean for each factor."""
    scale, grid = intensity_scale(views), image.grid
    seen = coverage(views, grid) & foreground(image.array, grid.voxel_sizes)
    doubt = contradiction(views, scale)
    alone = excess_noise([replace(view, disagreement=0.0) for view in views], scale)
    scores = []
    for factor in FACTORS:
        both = []
        for method in ("tv", "tikhonov"):
            noise = alone + factor * doubt
            weight = NOISE_FREE_WEIGHTS[method] + WEIGHTS_PER_NOISE[method] * noise
            both.append(reconstruct_baseline(views, grid, method, weight, device))
        for each in (*both, (both[0] + both[1]) / 2):
            scores.append(psnr(each, image.array, seen, intensity_range(image.array)))
    return scores
