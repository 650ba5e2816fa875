"""Is a rendering at 0.5 mm closer to the truth than classical methods up-sampled?

Views are simulated from the noisy phantom of 1 mm. The truth is the analytic phantom, noise-free,
sampled at 0.5 mm over the same field of view. Cubic, Tikhonov and TV are reconstructed at 1 mm and
interpolated to 0.5 mm by cubic splines; their weights are the best of seven and more by the PSNR
against the truth of 0.5 mm, in their favour. Option: number of the phantom, 1 by default.
"""

from collections.abc import Sequence

import numpy as np
import torch

from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.view import View
from cordinr.evaluation.metrics import evaluate
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.phantom.anatomy import Phantom
from cordinr.phantom.dataset import TRUTH_SUPERSAMPLE
from cordinr.phantom.scan import default_grid, sample

from .markdown import end, heading, row
from .reconstructions import (
    MEMBERS,
    Reconstruction,
    Result,
    classical,
    fit_and_render,
    fov_psnr,
    margin,
    tuned,
    upsampled,
)
from .subjects import COHORT, phantom_subject, simulate

VOXEL_MM = 1.0
FINE_MM = 0.5


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of methods at the finer voxel size."""
    number = int(options[0]) if options else 1
    coarse = default_grid(VOXEL_MM)
    fine = coarse.resampled(FINE_MM)
    truth = truth_on(fine, number)
    views = simulate(phantom_subject(number, coarse).volume)
    fov = {"fov": coverage(views, fine)}
    heading(*Result.columns("fov"))
    for found in baselines(views, coarse, Volume(truth, fine), fov["fov"]):
        image = upsampled(Volume(found.image, coarse), fine)
        bar = evaluate(image, truth, fov)
        row(*Result(found.name, found.seconds, bar).cells("fov"))
    for members in (1, MEMBERS):
        found = fit_and_render(views, fine, device, members=members)
        scores = evaluate(found.image, truth, fov)
        row(*Result(found.name, found.seconds, scores, margin(scores, bar)).cells("fov"))
    end()


def truth_on(grid: Grid, number: int) -> np.ndarray:
    """The noise-free phantom, averaged over the voxels of a grid."""
    return sample(Phantom.draw(number, COHORT), grid, TRUTH_SUPERSAMPLE)


def baselines(
    views: Sequence[View], coarse: Grid, truth: Volume, fov: np.ndarray
) -> list[Reconstruction]:
    """Cubic, Tikhonov and, last, total variation on the coarse grid, tuned on the fine one."""
    fine_psnr = fov_psnr(truth.array, fov)

    def quality(image: np.ndarray) -> float:
        return fine_psnr(upsampled(Volume(image, coarse), truth.grid))

    regularised = [tuned(views, coarse, method, quality) for method in ("tikhonov", "tv")]
    return [classical(views, coarse, "cubic", 0.0), *regularised]
