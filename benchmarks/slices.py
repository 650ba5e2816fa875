"""Are slices found that moved within a scan? `cordinr align --mode slices`, on real images.

Scans as in the benchmark `alignment`, of the middle of each image of the cohort; the axial one is
displaced by up to 3 mm along and 3 degrees about each axis and 1.4 times as bright. Besides, in
both scans either every second slice was displaced, by 1 to 2 mm in any direction, or each slice by
1 mm (root mean square). Errors: median and largest distance in mm between where a slice was found
and where it is, in its plane and across it, with a pose for each scan alone and with a translation
for each slice; a displacement of all scans together, which nothing tells, is removed. PSNR of the
total variation reconstruction within what both show. Options: cases per image. Cases run side by
side, each on one core.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.view import View
from cordinr.alignment.modes import MODES, align
from cordinr.alignment.outcome import Alignment
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.evaluation.metrics import psnr
from cordinr.imaging.body import intensity_range
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume, load_volume
from tests.helpers.scans import displacement, scan

from .alignment import COHORT
from .markdown import end, heading, row, say
from .parallel import each, failure

MAX_MM = (52, 80, 80)
"""Extent of an image along R, A and S, around its middle."""

KINDS = ("every second slice", "every slice")
"""Which slices are displaced."""


def run(options: Sequence[str], device: torch.device) -> None:
    """Align scans of every image of the cohort whose slices moved, with and without them."""
    cases = int(options[0]) if options else 1
    paths = sorted(COHORT.glob("sub-*/anat/*_T2w.nii.gz"))
    if not paths:
        say(f"There are no images at {COHORT}.")
        return
    heading("image", "moved", *(f"{what}, {m}" for m in MODES for what in COLUMNS))
    pairs = [
        (path, kind, 100 * number + case)
        for number, path in enumerate(paths)
        for case in range(cases)
        for kind in KINDS
    ]
    numbers = []
    for (path, kind, _), found in zip(pairs, each(align_one, pairs), strict=True):
        name = path.name.removesuffix("_T2w.nii.gz")
        if isinstance(found, Exception):
            row(name, kind, failure(found), *[""] * (len(MODES) * len(COLUMNS) - 1))
            continue
        numbers.append(found)
        row(name, kind, *_words(found))
    end()
    if len(numbers) < len(pairs):
        say(f"{len(pairs) - len(numbers)} of {len(pairs)} cases failed.")
    if not numbers:
        return
    median, worst = np.median(numbers, axis=0), np.max(numbers, axis=0)
    say(f"Median: {', '.join(_words(median))}. Largest: {', '.join(_words(worst))}.")


COLUMNS = ("in plane, mm", "largest", "across, mm", "largest", "PSNR", "seconds")
"""What is told of each mode."""


def align_one(path: Path, kind: str, seed: int) -> list[float]:
    """The numbers of `COLUMNS` with both modes."""
    image = _middle(load_volume(path))
    rng = np.random.default_rng(seed)
    truth = displacement(image.grid.centre, rng.uniform(-3, 3, 3), rng.uniform(-3, 3, 3))
    moved: list[np.ndarray] = []

    def shifts(count: int) -> np.ndarray:
        if kind == KINDS[0]:
            direction = rng.normal(size=3)
            own = np.zeros((count, 3))
            own[1::2] = rng.uniform(1, 2) * direction / np.linalg.norm(direction)
        else:
            own = rng.normal(size=(count, 3)) / np.sqrt(3)
        moved.append(own)
        return own

    views = [
        scan(
            image,
            "R",
            thickness=3.0,
            spacing=3.3,
            in_plane=0.7,
            noise=0.02,
            seed=2 * seed,
            shifts=shifts,
        ),
        scan(
            image,
            "S",
            thickness=3.4,
            spacing=4.0,
            in_plane=0.6,
            tilt=8,
            moved=truth,
            gain=1.4,
            noise=0.02,
            seed=2 * seed + 1,
            shifts=shifts,
        ),
    ]
    numbers: list[float] = []
    for mode in MODES:
        started = time.perf_counter()
        found = align(views, mode)
        seconds = time.perf_counter() - started
        in_plane, across, common = _errors(views, found, truth, moved)
        quality = _psnr([_back(view, common) for view in found.apply(views)], image)
        numbers += [np.median(in_plane), in_plane.max(), np.median(across), across.max()]
        numbers += [quality, seconds]
    return numbers


def _errors(
    views: Sequence[View], found: Alignment, truth: np.ndarray, moved: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors (slices,) in the planes and across them, and what all have in common (3,), in mm."""
    apart, normals = [], []
    for number, (view, matrix) in enumerate(zip(views, (np.eye(4), truth), strict=True)):
        count = view.volume.grid.shape[view.axis]
        index = np.tile((np.array(view.volume.grid.shape) - 1) / 2, (count, 1))
        index[:, view.axis] = np.arange(count)
        middles = view.volume.grid.world(index)
        pose, own = found.poses[number].matrix, found.shifts[number]
        place = middles @ pose[:3, :3].T + pose[:3, 3] + (0 if own is None else own)
        apart.append(place - middles @ matrix[:3, :3].T - matrix[:3, 3] - moved[number])
        normals.append(np.tile(matrix[:3, :3] @ view.normal, (count, 1)))
    error, normal = np.concatenate(apart), np.concatenate(normals)
    common = np.median(error, axis=0)
    across = ((error - common) * normal).sum(axis=1)
    in_plane = np.linalg.norm(error - common - across[:, None] * normal, axis=1)
    return in_plane, np.abs(across), common


def _back(view: View, shift: np.ndarray) -> View:
    """A view without a displacement of all scans together."""
    affine = view.volume.grid.affine.copy()
    affine[:3, 3] -= shift
    return replace(view, volume=Volume(view.volume.array, Grid(view.volume.grid.shape, affine)))


def _middle(image: Volume) -> Volume:
    along = np.abs(image.grid.directions).argmax(axis=0)
    most = np.array(MAX_MM)[along] / image.grid.voxel_sizes
    shape = np.minimum(image.grid.shape, most.astype(int))
    low = (np.array(image.grid.shape) - shape) // 2
    box = tuple(slice(start, start + n) for start, n in zip(low, shape, strict=True))
    return Volume(np.ascontiguousarray(image.array[box]), image.grid.cropped(low, shape))


def _psnr(views: Sequence[View], image: Volume) -> float:
    built = reconstruct_baseline(views, image.grid, "tv", 0.002)
    peak = intensity_range(image.array)
    return psnr(built, image.array, coverage(views, image.grid), peak)


def _words(numbers: Sequence[float] | np.ndarray) -> list[str]:
    kinds = ("{:.2f}", "{:.2f}", "{:.2f}", "{:.2f}", "{:.1f}", "{:.0f}") * len(MODES)
    return [kind.format(number) for kind, number in zip(kinds, numbers, strict=True)]
