"""How much of a score is its protocol?

The same reconstructions of the same images scored in several ways: PSNR as `cordinr evaluate`
defines it over the fov, the body (fg) and the cord; over the fov with the maximum of the reference
as peak; and by the original study's protocol, where each image is min-max scaled inside a mask and
the background zeroed. Its scale hangs on the darkest voxel in that mask: the last column is that
voxel over the reference's own. Total variation has its default weight. Options: names of images.
"""

from collections.abc import Sequence

import torch
from skimage.filters import threshold_minimum

from cordinr.evaluation.metrics import evaluate, psnr

from .markdown import end, heading, row, say
from .reconstructions import classical, default_weight, fit_and_render, regions_of
from .subjects import CROP, PHANTOM_NAMES, present, simulate, subject

COLUMNS = (
    "fov",
    "fg",
    "cord",
    "fov, peak = maximum",
    "original",
    "SSIM fov",
    "SSIM original",
    "darkest",
)


def run(options: Sequence[str], device: torch.device) -> None:
    """Print one line per image and method."""
    names = options or [name for name in present() if name not in (CROP, *PHANTOM_NAMES[1:])]
    kept = {}
    heading("image", "method", *COLUMNS)
    for name in names:
        image = subject(name)
        reference, grid, views = image.volume.array, image.volume.grid, simulate(image.volume)
        regions = regions_of(image, views)
        mask = reference > threshold_minimum(reference)
        for found in (
            classical(views, grid, "cubic", 0.0),
            classical(views, grid, "tv", default_weight("tv", views)),
            fit_and_render(views, grid, device),
        ):
            scores = evaluate(found.image, reference, regions)
            highest = psnr(found.image, reference, regions["fov"], float(reference.max()))
            psnrs = [scores.get(f"psnr_{region}") for region in ("fov", "fg", "cord")]
            psnrs += [highest, scores.get("psnr_original")]
            ssims = [scores.get("ssim_fov"), scores.get("ssim_original")]
            cells = ["" if score is None else f"{score:.2f}" for score in psnrs]
            cells += ["" if score is None else f"{score:.4f}" for score in ssims]
            darkest = found.image[mask].min() / reference[mask].min()
            row(name, found.name, *cells, f"{darkest:.2f}")
        kept[name] = mask.mean()
    end()
    parts = (f"{part:.1%} of {name}" for name, part in kept.items())
    say(f"The original's mask keeps {', '.join(parts)}.")
