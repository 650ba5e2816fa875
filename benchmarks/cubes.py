"""What does it do to the scores that a reference is resampled until its voxels are cubes?

GE scanners interpolate within the plane: voxels of 0.8 x 0.5 x 0.5 mm. Such images are made here:
phantom 1 sampled and given noise at these voxels, and a part of `sub-cervical`, of 1 mm,
interpolated by cubic splines to 1 x 0.625 x 0.625 mm. Total variation (weight of `config.yaml`)
and one INR are fitted to axial and sagittal box views, five of the largest voxels thick, and scored
over their fov three times: everything on the image as it is; the same views, but the image
resampled to cubes as what is scored against; and views of the resampled image as well, as the
workflow does.
"""

from collections.abc import Sequence

import numpy as np
import torch

from cordinr.acquisition.overlap import coverage
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.bids.reference import as_reference, voxel_text
from cordinr.evaluation.metrics import evaluate
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume

from .markdown import end, heading, row
from .reconstructions import classical, default_weight, fit_and_render, upsampled
from .scans import centred
from .subjects import cropped, phantom_subject, present, real_subject

REAL = "sub-cervical"
PHANTOM = ((40, 48, 48), (0.8, 0.5, 0.5))
"""Voxels and their sizes in mm."""

REAL_SHAPE = (40, 40, 40)
"""Voxels of `sub-cervical` that are taken, of 1 mm, R-A-S."""

FINER = 1.6
"""Times as many voxels along A and S as there were in the real image."""

SLICE_VOXELS = 5


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of images, references and methods."""
    heading("image", "views of", "scored on", "voxels", "method", "PSNR fov", "SSIM fov")
    for name, image in images().items():
        cubes, _ = as_reference(name, image)
        for seen, scored in (image, image), (image, cubes), (cubes, cubes):
            views, grid = views_of(seen), scored.grid
            fov = {"fov": coverage(views, grid)}
            words = ["as it is" if each is image else "cubes" for each in (seen, scored)]
            for method in ("tv", "INR"):
                found = (
                    fit_and_render(views, grid, device)
                    if method == "INR"
                    else classical(views, grid, method, default_weight(method, views))
                )
                score = evaluate(found.image, scored.array, fov)
                numbers = f"{score['psnr_fov']:.2f}", f"{score['ssim_fov']:.4f}"
                row(name, *words, voxel_text(grid.voxel_sizes), found.name, *numbers)
    end()


def images() -> dict[str, Volume]:
    """Images of unequal voxels by name."""
    shape, sizes = PHANTOM
    found = {"phantom-1": phantom_subject(1, centred(shape, np.array(sizes), np.eye(3))).volume}
    if REAL in present():
        whole = cropped(real_subject(REAL), REAL_SHAPE).volume
        finer = np.ones(3)
        finer[[whole.grid.axis_along(letter) for letter in "AS"]] = FINER
        found[REAL] = divided(whole, finer)
    return found


def divided(volume: Volume, finer: np.ndarray) -> Volume:
    """A volume interpolated to `finer` (3,) times as many voxels over the same field of view."""
    shape = np.rint(np.array(volume.grid.shape) * finer).astype(int)
    scale = np.array(volume.grid.shape) / shape
    affine = volume.grid.affine.copy()
    affine[:3, :3] *= scale
    affine[:3, 3] = volume.grid.world(-0.5 + 0.5 * scale)
    grid = Grid(tuple(int(n) for n in shape), affine)
    return Volume(upsampled(volume, grid), grid)


def views_of(volume: Volume) -> list[View]:
    """An axial and a sagittal box view, `SLICE_VOXELS` of the largest voxels thick."""
    mm = round(SLICE_VOXELS * float(volume.grid.voxel_sizes.max()), 3)
    return [
        acquire(volume, volume.grid.axis_along(letter), SliceProfile("box", mm), mm)
        for letter in "SR"
    ]
