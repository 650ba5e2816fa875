"""A real scan that no reconstruction has seen: is it predicted from two others of the patient?

From the sagittal and the axial scan of `pelvis-triple`, aligned with each other, each method makes
a volume; the coronal scan is predicted from it by slice profile, at the pose of the coronal scan
that suits this volume best, found anew for each by correlation. Correlation with what was measured,
over the voxels of the body that all volumes cover. "alone" is the cubic interpolation of one scan,
"mean" that of both, "tv" total variation with the weight that config.yaml has, "tv, tuned" with the
best of several, in its favour. No gain has to be found, as correlation knows none.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from scipy.optimize import minimize

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.view import View
from cordinr.alignment.pose import Pose
from cordinr.alignment.rigid import align_rigidly
from cordinr.bids.view_files import load_views
from cordinr.classical.reconstruct import cubic_mean, reconstruct_baseline
from cordinr.imaging.grid import Grid
from cordinr.inr.fit import fit_inr
from cordinr.inr.render import render_inr
from cordinr.inr.settings import FitSettings

from .markdown import end, heading, row, say

FOLDER = Path(__file__).parents[2] / "shared/data/pelvis-triple/sub-0000/anat"
VOXEL_MM = 0.8
"""Voxel size of the volumes that are compared."""

TV_WEIGHTS = (0.002, 0.005, 0.01, 0.02)
"""Weights of total variation, the first that of config.yaml."""

SAMPLES = 5
"""Number of points along the slice profile of a predicted voxel."""

EVERY = 3
"""Every so many voxels of the coronal scan, in its plane, one is predicted."""

RADIUS_MM = 50.0
"""Distance from the centre at which a rotation is measured in mm."""


def run(options: Sequence[str], device: torch.device) -> None:
    """Predict the coronal scan of the pelvis from volumes by several methods."""
    paths = [FOLDER / f"sub-0000_acq-{name}_T2w.nii.gz" for name in ("sag", "ax", "cor")]
    if not all(path.exists() for path in paths):
        say(f"There are no images at {FOLDER}.")
        return
    sagittal, axial, coronal = load_views(paths)
    start = align_rigidly([sagittal, axial, coronal]).poses[2]
    alignment = align_rigidly([sagittal, axial])
    views = alignment.apply([sagittal, axial])
    say(f"Axial scan: {alignment.describe(1)}")
    grid = FitDomain.of(views).grid.resampled(VOXEL_MM)
    seen = coverage(views, grid)
    volumes = {
        "sagittal alone": cubic_mean(views[:1], grid),
        "axial alone": cubic_mean(views[1:], grid),
        "mean": cubic_mean(views, grid),
    }
    for weight in TV_WEIGHTS:
        volumes[f"tv {weight:g}"] = reconstruct_baseline(views, grid, "tv", weight, device)
    for members in (1, 4) if "best" in options else (1,):
        inr = fit_inr(views, 256, FitSettings(members=members), device=device)
        volumes["INR" if members == 1 else f"mean of {members} INRs"] = render_inr(
            inr, grid, device
        )
    heading(
        "volume", "correlation with the coronal scan", "pose of the coronal scan, mm", "degrees"
    )
    for name, volume in volumes.items():
        correlation, pose = best_correlation(volume, grid, seen, coronal, start)
        row(name, f"{correlation:.4f}", f"{pose.millimetres:.1f}", f"{pose.degrees:.1f}")
    end()


def best_correlation(
    volume: np.ndarray, grid: Grid, seen: np.ndarray, scan: View, start: Pose
) -> tuple[float, Pose]:
    """Correlation of a scan with its prediction at the best pose, and that pose."""
    shape = scan.volume.grid.shape
    index = np.stack(np.unravel_index(np.arange(scan.volume.grid.size), shape), axis=-1)
    chosen = (index[:, list(scan.in_plane)] % EVERY == 0).all(axis=1)
    chosen &= scan.volume.array.ravel() > 0.1 * np.percentile(scan.volume.array, 99)
    world, values = scan.volume.grid.world(index[chosen]), scan.volume.array.ravel()[chosen]
    offsets, weights = scan.offsets(SAMPLES, 100.0)
    points = (world[:, None] + offsets).reshape(-1, 3)
    covered = seen.astype(np.float32)

    def predict(parameters: np.ndarray) -> tuple[float, Pose]:
        pose = Pose(start.centre, parameters[:3] / RADIUS_MM, parameters[3:])
        matrix = pose.matrix
        at = grid.index(points @ matrix[:3, :3].T + matrix[:3, 3]).T

        def averaged(array: np.ndarray) -> np.ndarray:
            sampled = ndimage.map_coordinates(array, at, order=1)
            return sampled.reshape(-1, len(weights)) @ weights

        inside = averaged(covered) > 0.99
        return float(np.corrcoef(averaged(volume)[inside], values[inside])[0, 1]), pose

    first = np.concatenate([start.rotation * RADIUS_MM, start.translation])
    found = minimize(
        lambda parameters: -predict(parameters)[0],
        first,
        method="Powell",
        options={"xtol": 0.01, "ftol": 1e-5},
    )
    return predict(found.x)
