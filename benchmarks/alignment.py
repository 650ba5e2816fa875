"""Are displaced scans found? `cordinr align` on scans of real images, made by another way.

A sagittal and an axial scan of each image of the cohort: means over splines of the image, so that
nothing of the forward model is in them. They have 0.7 mm and 0.6 mm in the plane, slices of 3 mm
every 3.3 mm and of 3.4 mm every 4 mm, and Rician noise of 2 % of the 99.9th percentile. The axial
scan is tilted by up to 15 degrees, 1.2 to 1.8 times as bright, and displaced along and about each
axis, which its header does not say. Errors: of the centre of the axial scan in mm, of the rotation
in degrees, of the gain in percent. PSNR: mean of the cubic interpolations of both scans against the
image, over what both show, with the poses that were found and with the true ones. Options: cases
per image, then the largest displacement in mm and in degrees. Cases run side by side, each on one
core.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.view import View
from cordinr.alignment.rigid import align_rigidly
from cordinr.classical.reconstruct import cubic_mean
from cordinr.evaluation.metrics import psnr
from cordinr.imaging.body import intensity_range
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume, load_volume
from tests.helpers.scans import displacement, scan

from .markdown import end, heading, row, say
from .parallel import each, failure

COHORT = Path(__file__).parents[2] / "shared" / "data" / "spine-cohort"
DEFAULT = (5, 5.0, 5.0)
"""Cases per image, and the largest displacement along and about each axis in mm and degrees."""


def run(options: Sequence[str], device: torch.device) -> None:
    """Align scans of every image of the cohort, with other displacements in every case."""
    cases, most_mm, most_degrees = (
        type(default)(options[k]) if k < len(options) else default
        for k, default in enumerate(DEFAULT)
    )
    paths = sorted(COHORT.glob("sub-*/anat/*_T2w.nii.gz"))
    if not paths:
        say(f"There are no images at {COHORT}.")
        return
    heading("image", "mm", "degrees", "gain, %", "PSNR found", "PSNR true", "seconds")
    pairs = [(number, path, case) for number, path in enumerate(paths) for case in range(cases)]
    found = each(
        align_one,
        [(path, 100 * number + case, most_mm, most_degrees) for number, path, case in pairs],
    )
    errors = []
    for (_, path, _), error in zip(pairs, found, strict=True):
        name = path.name.removesuffix("_T2w.nii.gz")
        if isinstance(error, Exception):
            row(name, failure(error), *[""] * 5)
            continue
        errors.append(error)
        mm, degrees, gain, psnr_found, psnr_true, seconds = error
        row(
            name,
            f"{mm:.3f}",
            f"{degrees:.3f}",
            f"{gain:+.1f}",
            f"{psnr_found:.2f}",
            f"{psnr_true:.2f}",
            f"{seconds:.0f}",
        )
    end()
    if len(errors) < len(pairs):
        say(f"{len(pairs) - len(errors)} of {len(pairs)} cases failed.")
    if not errors:
        return
    table = np.abs(np.array(errors))
    median, worst = np.median(table, axis=0), table.max(axis=0)
    drop = np.array(errors)[:, 4] - np.array(errors)[:, 3]
    say(
        f"{len(errors)} cases up to {most_mm:g} mm and {most_degrees:g} degrees: median "
        f"{median[0]:.3f} mm, {median[1]:.3f} degrees; worst {worst[0]:.3f} mm, {worst[1]:.3f} "
        f"degrees, {worst[2]:.1f} % of gain; PSNR at most {drop.max():.2f} dB below that with the "
        "true poses."
    )


def align_one(path: Path, seed: int, most_mm: float, most_degrees: float) -> tuple[float, ...]:
    """Errors in mm, degrees and percent; PSNR with found and with true poses; seconds."""
    image = load_volume(path)
    rng = np.random.default_rng(seed)
    truth = displacement(
        image.grid.centre,
        rng.uniform(-most_degrees, most_degrees, 3),
        rng.uniform(-most_mm, most_mm, 3),
    )
    gain = rng.uniform(1.2, 1.8)
    sagittal = scan(
        image, "R", thickness=3.0, spacing=3.3, in_plane=0.7, noise=0.02, seed=2 * seed, name="sag"
    )
    axial = scan(
        image,
        "S",
        thickness=3.4,
        spacing=4.0,
        in_plane=0.6,
        tilt=rng.uniform(-15, 15),
        moved=truth,
        gain=gain,
        noise=0.02,
        seed=2 * seed + 1,
        name="ax",
    )
    started = time.perf_counter()
    found = align_rigidly([sagittal, axial])
    seconds = time.perf_counter() - started
    pose = found.poses[1].matrix
    centre = np.append(axial.volume.grid.centre, 1)
    apart = pose[:3, :3] @ truth[:3, :3].T
    degrees = np.degrees(np.arccos(np.clip((np.trace(apart) - 1) / 2, -1, 1)))
    views = found.apply([sagittal, axial])
    true = [sagittal, _move(axial, truth, gain)]
    return (
        float(np.linalg.norm((pose - truth) @ centre)),
        float(degrees),
        100 * (float(found.gains[1]) / gain - 1),
        _psnr(views, image),
        _psnr(true, image),
        seconds,
    )


def _move(view: View, matrix: np.ndarray, gain: float) -> View:
    grid = Grid(view.volume.grid.shape, matrix @ view.volume.grid.affine)
    return View(Volume(view.volume.array / gain, grid), view.axis, view.profile, view.name)


def _psnr(views: Sequence[View], image: Volume) -> float:
    region = coverage(views, image.grid)
    peak = intensity_range(image.array)
    return psnr(cubic_mean(views, image.grid), image.array, region, peak)
