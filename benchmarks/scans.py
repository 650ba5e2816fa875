"""Does the margin hold for two scans as clinics make them?

An axial and a sagittal scan of phantom 1, each with voxels and an extent of its own, half of what
is usual along each axis, the axial one level or tilted. They are not cut from one image: every
voxel is the mean of the analytic phantom over it. The INR and total variation, tuned on the truth,
are scored on the grid that both scans share, with and without `fit.tv_prior`. An INR is fitted and
rendered in a process of its own. Options: degrees of tilt.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from cordinr.acquisition.overlap import common_grid
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.view import View
from cordinr.evaluation.metrics import evaluate
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.inr.settings import FitSettings
from cordinr.phantom.anatomy import Phantom
from cordinr.phantom.scan import sample

from .growth import apart
from .markdown import end, heading, row
from .reconstructions import fov_psnr, tuned
from .subjects import COHORT

TILTS = (0.0, 12.0)
AXIAL = ((160, 160, 10), (0.5, 0.5, 4.0), 2)
SAGITTAL = ((8, 192, 192), (3.3, 0.6, 0.6), 0)
"""Voxels, their sizes in mm, and the axis across the slices."""

WITHIN_SLICE = 6
SUPERSAMPLE = 2
"""Points along each axis for each of the `WITHIN_SLICE` parts of a voxel, and of the truth."""


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of tilts and settings."""
    phantom = Phantom.draw(1, COHORT)
    columns = ("tilt", "tv_prior", "shape", "PSNR TV", "SSIM TV", "PSNR INR", "SSIM INR")
    heading(*columns, "PSNR - TV", "fit s", "render s", "MB")
    for tilt in [float(option) for option in options] or TILTS:
        views = [scan(phantom, *AXIAL, tilt), scan(phantom, *SAGITTAL, 0.0)]
        grid = common_grid(views)
        truth = sample(phantom, grid, SUPERSAMPLE)
        everywhere = np.ones(grid.shape, bool)
        variation = tuned(views, grid, "tv", fov_psnr(truth, everywhere)).image
        bar = evaluate(variation, truth, {"fov": everywhere})
        for settings in (FitSettings(), replace(FitSettings(), tv_prior=0.0)):
            cost = apart(views, grid, device, settings)
            found = evaluate(cost.image, truth, {"fov": everywhere})
            row(
                *(f"{tilt:g}", f"{settings.tv_prior:g}", "x".join(map(str, grid.shape))),
                *(f"{bar['psnr_fov']:.2f}", f"{bar['ssim_fov']:.4f}"),
                *(f"{found['psnr_fov']:.2f}", f"{found['ssim_fov']:.4f}"),
                f"{found['psnr_fov'] - bar['psnr_fov']:+.2f}",
                *(f"{cost.fit_seconds:.0f}", f"{cost.render_seconds:.1f}", f"{cost.peak_mb:.0f}"),
            )
    end()


def scan(
    phantom: Phantom,
    shape: tuple[int, int, int],
    voxel: tuple[float, float, float],
    axis: int,
    tilt: float,
) -> View:
    """A noise-free scan centred on the phantom, turned by `tilt` degrees about right-left."""
    angle = np.radians(tilt)
    turn = np.eye(3)
    turn[1:, 1:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    grid = centred(shape, np.array(voxel), turn)
    parts = np.ones(3, int)
    parts[axis] = WITHIN_SLICE
    fine = centred(tuple(int(n) for n in shape * parts), voxel / parts, turn)
    array = sample(phantom, fine, SUPERSAMPLE)
    split = np.insert(shape, axis + 1, WITHIN_SLICE)
    voxels = array.reshape(split).mean(axis=axis + 1)
    return View(Volume(voxels, grid), axis, SliceProfile("box", voxel[axis]))


def centred(shape: tuple[int, int, int], voxel: np.ndarray, turn: np.ndarray) -> Grid:
    """A grid around the origin, its axes the columns of `turn`."""
    affine = np.eye(4)
    affine[:3, :3] = turn * voxel
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)
