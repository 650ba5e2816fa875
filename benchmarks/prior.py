"""What does a prior of other people add to total variation and INRs, and is its standard error one?

Every image is reconstructed with a prior that has not seen that person: those of `spine-cohort` by
leave-one-out, the others by the prior of all of `spine-cohort`. Total variation and Tikhonov are
tuned per image and scenario in their favour, as in `quality`. "Learned" is the prior's image before
and after it was made to agree with the views; "INR" is drawn to total variation, "INR, learned" to
the learned image, both with F = 512. Error / SE: root mean square of the error over that of the
standard error, in the fov; 68 % and 95 %: part of the voxels of the foreground whose error is
within one and within 1.96 standard errors; sparsification: 1 where the standard error ranks voxels
as their error does, 0 for chance, as in `uncertainty`. Options: names of images, of scenarios,
`middle` for the middle 120 voxels of each image along every axis, `untuned` for total variation at
its default weight alone, `alone` for no INRs, `drawn` for none but that of the learned image,
`ensemble` for one of four as well, and `in=FOLDER` with `all.safetensors` and
`without-<person>.safetensors`, which `cordinr learn` wrote.
"""

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy
import torch

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire, slice_grid
from cordinr.acquisition.view import View
from cordinr.evaluation.metrics import evaluate
from cordinr.imaging.grid import Grid
from cordinr.imaging.masks import load_mask
from cordinr.imaging.volume import Volume, load_volume
from cordinr.prior.folds import refuse_learner
from cordinr.prior.predict import predict_learned
from cordinr.prior.prior_file import Prior, load_prior
from cordinr.prior.scores import middle

from .markdown import end, heading, row, say
from .reconstructions import MEMBERS, Reconstruction, fit_and_render, fov_psnr, regions_of, tuned
from .subjects import PHANTOM_NAMES, REAL, REAL_NAMES, Subject, present, simulate, subject
from .uncertainty import relative_area, sparsification_areas

COHORT = REAL.parent / "spine-cohort"
"""The people that a prior learns from."""

TILT_DEGREES = 10.0
"""Angle by which the sagittal stack of the scenario `tilted` is turned."""

POINTS_ACROSS = 25
"""Number of points across a slice at which a tilted stack is sampled."""

GAP = 0.2
"""Gap between the slices of the scenario `gap`, as a fraction of their thickness."""

WORDS = ("middle", "untuned", "alone", "drawn", "ensemble")
"""Options that are no names."""

SCENARIOS = (
    "plain",
    "noise-2",
    "noise-5",
    "thickness-3",
    "thickness-6",
    "gaussian",
    "gap",
    "three-views",
    "tilted",
)


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of images, scenarios and methods, then means over them."""
    folder = next((Path(each[3:]) for each in options if each.startswith("in=")), None)
    if folder is None:
        say("Left out: it needs the priors of all folds, `prior:in=FOLDER`.")
        return
    names = [each for each in options if not each.startswith("in=") and each not in WORDS]
    images = [each for each in names if each not in SCENARIOS]
    scenarios = [each for each in names if each in SCENARIOS] or list(SCENARIOS)
    heading(
        *("image", "scenario", "method", "PSNR fov", "SSIM fov", "PSNR fg", "PSNR cord"),
        *("PSNR - better", "error / SE", "68 %", "95 %", "sparsification"),
    )
    gains: dict[str, list[tuple[float, float]]] = {}
    for name in images or [*cohort_names(), *REAL_NAMES, *PHANTOM_NAMES]:
        image = image_of(name)
        image = middle_of(image) if "middle" in options else image
        prior = prior_of(folder, name)
        for scenario in scenarios:
            gain = compare(image, scenario, prior, device, set(options))
            gains.setdefault(scenario, []).append(gain)
    end()
    for scenario, pairs in gains.items():
        by_fov, by_fg = np.transpose(pairs)
        say(
            f"{scenario}: the last line of each image above the better classical one, mean "
            f"{by_fov.mean():+.2f} dB (fov) and {by_fg.mean():+.2f} dB (fg), smallest "
            f"{by_fov.min():+.2f} and {by_fg.min():+.2f} dB."
        )


def cohort_names() -> list[str]:
    """The people of `spine-cohort`."""
    return sorted(path.name for path in COHORT.glob("sub-*"))


def image_of(name: str) -> Subject:
    """An image of `spine-cohort`, or one of `subjects`."""
    if name in present():
        return subject(name)
    path = COHORT / name / "anat" / f"{name}_T2w.nii.gz"
    if not path.exists():
        sys.exit(f"no image is called {name}; there are {', '.join(cohort_names())}.")
    volume = load_volume(path)
    mask = COHORT / "derivatives/labels" / name / "anat" / f"{name}_T2w_label-SC_seg.nii.gz"
    return Subject(name, volume, load_mask(mask, volume.grid) if mask.exists() else None)


def middle_of(image: Subject) -> Subject:
    """What `cordinr learn` scores of an image."""
    volume = middle(image.volume)
    if image.cord is None:
        return Subject(image.name, volume, None)
    cord = Volume(image.cord.astype(np.float32), image.volume.grid)
    return Subject(image.name, volume, middle(cord).array > 0)


def prior_of(folder: Path, name: str) -> Prior:
    """The prior of a folder that has not seen a person."""
    alone = folder / f"without-{name}.safetensors"
    path = alone if alone.exists() else folder / "all.safetensors"
    prior = load_prior(path)
    refuse_learner(prior, name, str(path))
    return prior


def views_of(image: Subject, scenario: str) -> list[View]:
    """The views of one scenario; axial and sagittal ones unless it says otherwise."""
    volume = image.volume
    if scenario.startswith("thickness-"):
        return simulate(volume, thickness_voxels=float(scenario[-1]))
    if scenario == "gaussian":
        return simulate(volume, profile="gaussian")
    if scenario == "three-views":
        return simulate(volume, "SRA")
    if scenario == "gap":
        return [with_gap(volume, letter) for letter in "SR"]
    if scenario == "tilted":
        return [simulate(volume, "S")[0], tilted(volume)]
    views = simulate(volume)
    if scenario.startswith("noise-"):
        return with_noise(views, float(scenario[-1]) / 100)
    return views


def with_gap(volume: Volume, letter: str) -> View:
    """A stack with gaps of `GAP` between slices of five voxels."""
    axis = volume.grid.axis_along(letter)
    thickness = 5 * float(volume.grid.voxel_sizes[axis])
    return acquire(volume, axis, SliceProfile("box", thickness), (1 + GAP) * thickness)


def tilted(volume: Volume) -> View:
    """A sagittal stack turned about the other two axes, sampled by splines at many points.

    The forward model interpolates linearly: what it makes, it would explain too well.
    """
    axis = volume.grid.axis_along("R")
    thickness = 5 * float(volume.grid.voxel_sizes[axis])
    profile = SliceProfile("box", thickness)
    plain = slice_grid(volume.grid, axis, profile, thickness)
    about = np.radians(TILT_DEGREES) * volume.grid.directions @ (np.arange(3) != axis) / np.sqrt(2)
    affine = plain.affine.copy()
    affine[:3, :3] = (
        scipy.spatial.transform.Rotation.from_rotvec(about).as_matrix() @ affine[:3, :3]
    )
    affine[:3, 3] = plain.centre - affine[:3, :3] @ ((np.array(plain.shape) - 1) / 2)
    return sampled(volume, Grid(plain.shape, affine, plain.space), axis, profile)


def sampled(volume: Volume, slices: Grid, axis: int, profile: SliceProfile) -> View:
    """A stack on any grid by cubic splines at `POINTS_ACROSS` points across each slice.

    What has a quarter of its slice or more beyond the volume counts as not measured.
    """
    coefficients = scipy.ndimage.spline_filter(volume.array.astype(float), mode="mirror")
    centres, (distances, weights) = slices.centres(), profile.samples(POINTS_ACROSS)
    voxels, within = np.zeros(len(centres)), np.zeros(len(centres))
    for distance, weight in zip(distances, weights, strict=True):
        index = volume.grid.index(centres + distance * slices.directions[:, axis])
        voxels += weight * scipy.ndimage.map_coordinates(
            coefficients, index.T, mode="mirror", prefilter=False
        )
        within += weight * volume.grid.contains(index)
    stack = Volume(voxels.astype(np.float32).reshape(slices.shape), slices)
    return View(stack, axis, profile, measured=(within > 0.75).reshape(slices.shape))


def with_noise(views: Sequence[View], part: float) -> list[View]:
    """Rician noise of a part of the 99.9th percentile of the views."""
    rng = np.random.default_rng(0)
    noisy = []
    for view in views:
        sigma = part * float(np.percentile(view.volume.array, 99.9))
        real, imaginary = rng.normal(scale=sigma, size=(2, *view.volume.array.shape))
        array = np.hypot(np.maximum(view.volume.array, 0) + real, imaginary).astype(np.float32)
        noisy.append(replace(view, volume=Volume(array, view.volume.grid)))
    return noisy


def compare(
    image: Subject, scenario: str, prior: Prior, device: torch.device, options: Collection[str]
) -> tuple[float, float]:
    """Print all methods on one scenario of one image.

    Returns:
        How far the last method lies above the better classical one, over fov and fg in dB.
    """
    volume, views = image.volume, views_of(image, scenario)
    regions = regions_of(image, views)
    quality = fov_psnr(volume.array, regions["fov"])
    before = predict_learned(views, volume.grid, prior, device=device, consistent=False)
    after = predict_learned(views, volume.grid, prior, device=device, variation=before.variation)
    found = [Reconstruction("TV by noise", before.variation, 0.0)]
    if "untuned" not in options:
        found += [tuned(views, volume.grid, method, quality) for method in ("tikhonov", "tv")]
    scores = [evaluate(each.image, volume.array, regions) for each in found]
    best = {key: max(each[key] for each in scores) for key in scores[0]}
    for each, numbers in zip(found, scores, strict=True):
        row(image.name, scenario, each.name, *cells(numbers), "", "", "", "", "")
    gain = (0.0, 0.0)
    rivals = [
        Reconstruction("learned, before", before.image, 0.0, before.standard_error),
        Reconstruction("learned, after", after.image, 0.0, after.standard_error),
    ]
    if "alone" not in options:
        if "drawn" not in options:
            rivals.append(fit_and_render(views, volume.grid, device))
        drawn = fit_and_render(views, volume.grid, device, prior=prior)
        rivals.append(replace(drawn, name=f"{drawn.name}, learned"))
    if "ensemble" in options:
        several = fit_and_render(views, volume.grid, device, prior=prior, members=MEMBERS)
        rivals.append(replace(several, name=f"{several.name}, learned"))
    for rival in rivals:
        numbers = evaluate(rival.image, volume.array, regions)
        gain = numbers["psnr_fov"] - best["psnr_fov"], numbers["psnr_fg"] - best["psnr_fg"]
        trust = [""] * 4
        if rival.std is not None:
            trust = trust_cells(rival.image - volume.array, rival.std, regions)
        row(image.name, scenario, rival.name, *cells(numbers), f"{gain[0]:+.2f}", *trust)
    return gain


def cells(numbers: dict[str, float]) -> list[str]:
    """PSNR and SSIM over the regions."""
    cord = f"{numbers['psnr_cord']:.2f}" if "psnr_cord" in numbers else ""
    return [
        f"{numbers['psnr_fov']:.2f}",
        f"{numbers['ssim_fov']:.4f}",
        f"{numbers['psnr_fg']:.2f}",
        cord,
    ]


def trust_cells(
    error: np.ndarray, standard_error: np.ndarray, regions: dict[str, np.ndarray]
) -> list[str]:
    """Error over standard error, the parts within their intervals, and sparsification."""
    fov, body = regions["fov"], regions["fg"]
    wrong = np.abs(error).astype(float)
    ratio = np.sqrt(np.mean(wrong[fov] ** 2) / np.mean(standard_error[fov].astype(float) ** 2))
    inside = [np.mean(wrong[body] < times * standard_error[body]) for times in (1, 1.96)]
    ranking = relative_area(*sparsification_areas(wrong[fov], standard_error[fov]))
    return [f"{ratio:.2f}", *(f"{part:.2f}" for part in inside), f"{ranking:.2f}"]
