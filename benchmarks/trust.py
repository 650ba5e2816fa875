"""Does what `cordinr check` says without a reference rank with the true error?

Cubes of about 50 mm of real images, and two scans of each, made by splines of the image, so that
nothing of the forward model is in them: slices of 3 to 6 mm with gaps of 0 to 20 %, the axial ones
tilted by up to 12 degrees, Rician noise of 0 to 6 % of the 99.9th percentile (R). Then one trouble:
the axial scan is displaced by up to 4 mm without anybody knowing, has another gain, is of another
person, or some of its slices are dark or moved. Both are reconstructed by total variation at 1 mm;
nothing is aligned first. True error: root mean square (RMS) error over the body where both scans
see, in percent of R, and 1 - SSIM there. Expected: what `cordinr check` expects for the former.
Agreement: correlation of the scans where they cross. Held out: RMS error of every fourth slice,
left out and predicted, over that of interpolation. The weights of the expected error were fitted on
other cases of the first three people. Option: rounds of all kinds of trouble per image.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import nibabel as nib
import numpy as np
import torch
from scipy import ndimage
from scipy.stats import spearmanr

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.overlap import common_grid, coverage
from cordinr.acquisition.view import View
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.evaluation.metrics import ssim_map
from cordinr.imaging.body import foreground, intensity_range
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume, load_volume
from cordinr.trust.assess import Assessment, assess
from cordinr.trust.hold_out import hold_out
from cordinr.trust.verdict import WORDS
from tests.helpers.scans import displacement, scan

from .alignment import COHORT
from .markdown import end, heading, row, say
from .subjects import REAL_NAMES, present, real_subject

CUBE_MM = (50, 54, 56)
"""Size of a cube from right to left, back to front and bottom to top."""

TROUBLES = (
    "none",
    "noise",
    "displaced",
    "displaced",
    "gain",
    "another person",
    "dark slices",
    "moved slices",
)
"""Kinds of trouble; displacement comes twice, as it is the most common one."""

FITTED_ON = ("sub-errsm11", "sub-errsm18", "sub-errsm20")
"""People whose scans the weights of the expected error were fitted on."""

STEP = 4
"""Every how many-th slice is left out."""


@dataclass(frozen=True, eq=False)
class Case:
    """Two scans of an image with a trouble.

    Attributes:
        person, trouble, strength: what is shown, and how bad it is, for the table.
        image: the truth.
        views: the scans.
        spoilt: slices of the axial scan that are dark or moved.
    """

    person: str
    trouble: str
    strength: str
    image: Volume
    views: list[View]
    spoilt: frozenset[int] = frozenset()


def run(options: Sequence[str], device: torch.device) -> None:
    """Judge reconstructions of all cases, and compare with their true errors."""
    people = _people()
    if not people:
        say(f"There are no images at {COHORT}.")
        return
    rounds = int(options[0]) if options else 1
    heading(
        *("person", "trouble", "strength", "RMS error, %", "expected, %", "1 - SSIM", "agreement"),
        *("held out", "trust", "verdict"),
    )
    results = []
    for number, person in enumerate(people):
        for kind in range(rounds * len(TROUBLES)):
            case = _make(people, person, 1000 * (number + 1) + kind, TROUBLES[kind % len(TROUBLES)])
            found, error, dissimilarity = _judge(case)
            results.append((case, found, error, dissimilarity))
            _print(case, found, error, dissimilarity)
    end()
    _summarise("All", results)
    others = [each for each in results if each[0].person not in FITTED_ON]
    _summarise("People whom nothing was fitted on", others)
    _count_verdicts(results)
    _count_slices(results)


def _people() -> dict[str, Volume]:
    """Images by the name of the person."""
    people = {
        path.name.removesuffix("_T2w.nii.gz"): load_volume(path)
        for path in sorted(COHORT.glob("sub-*/anat/*_T2w.nii.gz"))
    }
    name = REAL_NAMES[0]
    return people | ({name: real_subject(name).volume} if people and name in present() else {})


def _crop(volume: Volume, rng: np.random.Generator) -> Volume:
    """A cube of an image, turned to R-A-S, about the origin of the world."""
    whole = nib.as_closest_canonical(nib.Nifti1Image(volume.array, volume.grid.affine))
    size = np.minimum(whole.shape, CUBE_MM)
    place = np.array([0.5, rng.uniform(0.35, 0.6), rng.uniform(0.1, 0.9)])
    low = ((np.array(whole.shape) - size) * place).astype(int)
    box = tuple(slice(start, start + length) for start, length in zip(low, size, strict=True))
    array = np.ascontiguousarray(whole.get_fdata(dtype=np.float32)[box])
    return Volume(array, Grid(array.shape, np.eye(4)))


def _make(people: dict[str, Volume], person: str, seed: int, trouble: str) -> Case:
    rng = np.random.default_rng(seed)
    image = shown = _crop(people[person], rng)
    noise = rng.choice([0.04, 0.06]) if trouble == "noise" else rng.choice([0, 0.01, 0.02, 0.04])
    thickness, gap = rng.uniform(3, 6, 2), rng.choice([1.0, 1.1, 1.2])
    options = {"in_plane": 1.0, "noise": float(noise)}
    sagittal = scan(
        image,
        "R",
        thickness=thickness[0],
        spacing=thickness[0] * gap,
        seed=2 * seed,
        name="sagittal",
        **options,
    )
    strength, moved, gain = f"noise {100 * noise:.0f} %", None, 1.0
    if trouble == "displaced":
        mm = rng.uniform(0.3, 4)
        shift = rng.normal(size=3)
        moved = displacement(
            image.grid.centre, 0.5 * mm * rng.normal(size=3), mm * shift / np.linalg.norm(shift)
        )
        strength = f"{mm:.1f} mm"
    elif trouble == "gain":
        gain = float(rng.choice([0.7, 0.85, 1.15, 1.4]))
        strength = f"{gain:g}"
    elif trouble == "another person":
        other = str(rng.choice([name for name in people if name != person]))
        shown = _crop(people[other], rng)
        shown = replace(
            shown, array=shown.array * intensity_range(image.array) / intensity_range(shown.array)
        )
        strength = other
    axial = scan(
        shown,
        "S",
        thickness=thickness[1],
        spacing=thickness[1] * gap,
        tilt=rng.uniform(-12, 12),
        moved=moved,
        gain=gain,
        seed=2 * seed + 1,
        name="axial",
        **options,
    )
    spoilt: frozenset[int] = frozenset()
    if trouble.endswith("slices"):
        axial, spoilt = _spoil(axial, trouble, rng)
        strength = f"{len(spoilt)} of {axial.volume.grid.shape[2]}"
    return Case(person, trouble, strength, image, [sagittal, axial], spoilt)


def _spoil(view: View, trouble: str, rng: np.random.Generator) -> tuple[View, frozenset[int]]:
    """Darken or move a part of the slices; returns their numbers as well."""
    array, count = view.volume.array.copy(), view.volume.grid.shape[2]
    part = rng.choice([0.1, 0.3, 0.5])
    chosen = rng.choice(count, max(1, int(part * count)), replace=False)
    factor = rng.uniform(0.4, 0.8)
    for number in chosen:
        if trouble == "dark slices":
            array[:, :, number] *= factor
        else:
            step = rng.integers(2, 6) * rng.choice([-1, 1])
            array[:, :, number] = np.roll(array[:, :, number], step, axis=rng.integers(2))
    spoilt = frozenset(int(number) for number in chosen)
    return replace(view, volume=Volume(array, view.volume.grid)), spoilt


def _judge(case: Case) -> tuple[Assessment, float, float]:
    """The assessment of a case; the true RMS error relative to R, and 1 - SSIM."""
    views, grid = case.views, common_grid(case.views, 1.0)
    image = Volume(reconstruct_baseline(views, grid, "tv", 0.002), grid)
    found = assess(views, image, FitDomain.of(views).contains, held_out=hold_out(views, STEP))
    index = case.image.grid.index(grid.centres()).T
    truth = ndimage.map_coordinates(case.image.array, index, order=3, mode="nearest")
    truth = truth.reshape(grid.shape)
    peak = intensity_range(truth)
    region = foreground(truth, grid.voxel_sizes) & coverage(views, grid)
    error = np.sqrt(np.mean((image.array - truth)[region] ** 2)) / peak
    return found, float(error), 1 - float(ssim_map(image.array, truth, peak)[region].mean())


def _held_out_ratio(found: Assessment) -> float:
    return float(np.mean([stack.held_out.ratio for stack in found.stacks]))


def _print(case: Case, found: Assessment, error: float, dissimilarity: float) -> None:
    row(
        case.person,
        case.trouble,
        case.strength,
        f"{100 * error:.1f}",
        f"{100 * found.sources.expected_error:.1f}",
        f"{dissimilarity:.2f}",
        f"{found.stacks[0].agreement.correlation:.2f}",
        f"{_held_out_ratio(found):.2f}",
        f"{found.trust:.2f}",
        found.verdict.word,
    )


def _summarise(what: str, results: Sequence[tuple[Case, Assessment, float, float]]) -> None:
    """Rank correlations of what is known without a reference with the true errors."""
    kinds = {
        "expected error": [found.sources.expected_error for _, found, _, _ in results],
        "disagreement of the scans": [found.sources.disagreement for _, found, _, _ in results],
        "residual": [
            np.mean([stack.residual.numbers.total_difference for stack in found.stacks])
            for _, found, _, _ in results
        ],
        "noise": [found.sources.noise for _, found, _, _ in results],
        "hidden detail": [found.sources.detail for _, found, _, _ in results],
        "held out over interpolation": [_held_out_ratio(found) for _, found, _, _ in results],
    }
    say(f"{what}: Spearman's rank correlation over {len(results)} cases")
    heading("without a reference", "RMS error", "1 - SSIM")
    errors, dissimilarities = ([each[k] for each in results] for k in (2, 3))
    for name, values in kinds.items():
        ranks = (spearmanr(values, true).statistic for true in (errors, dissimilarities))
        row(name, *(f"{rank:.2f}" for rank in ranks))
    end()


def _count_verdicts(results: Sequence[tuple[Case, Assessment, float, float]]) -> None:
    """How often each verdict was given to each kind of trouble, and the errors behind it."""
    heading("trouble", *WORDS)
    for trouble in dict.fromkeys(TROUBLES):
        words = Counter(
            found.verdict.word for case, found, *_ in results if case.trouble == trouble
        )
        row(trouble, *(str(words[word]) for word in WORDS))
    errors = []
    for word in WORDS:
        behind = [100 * error for _, found, error, _ in results if found.verdict.word == word]
        errors.append(
            f"{np.median(behind):.1f} ({min(behind):.1f} to {max(behind):.1f})" if behind else ""
        )
    row("RMS error, %: median (range)", *errors)
    end()


def _count_slices(results: Sequence[tuple[Case, Assessment, float, float]]) -> None:
    """How many of the slices that were spoilt are named, and of those that were not."""
    heading("slices", "named", "of")
    for trouble in ("dark slices", "moved slices"):
        pairs = [
            number in found.stacks[1].strange
            for case, found, *_ in results
            if case.trouble == trouble
            for number in case.spoilt
        ]
        row(trouble, str(sum(pairs)), str(len(pairs)))
    beside = [
        number in stack.strange
        for case, found, *_ in results
        if case.spoilt
        for axial, stack in enumerate(found.stacks)
        for number in range(len(stack.words))
        if not (axial and number in case.spoilt)
    ]
    row("the others of these cases", str(sum(beside)), str(len(beside)))
    fine = [
        number in stack.strange
        for case, found, *_ in results
        if case.trouble in ("none", "noise")
        for stack in found.stacks
        for number in range(len(stack.words))
    ]
    row("those of cases without trouble", str(sum(fine)), str(len(fine)))
    end()
