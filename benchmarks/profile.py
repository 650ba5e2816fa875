"""What matters more, the slice profile or the Fourier dimension?

Box views 5:1, reconstructed once with the box as forward model and once as if each slice were a
plane at its centre ("point"). Classical weights are tuned on the reference for either model. PSNR
over the fov in dB. Options: names of images.
"""

from collections.abc import Mapping, Sequence

import torch

from cordinr.acquisition.view import View
from cordinr.evaluation.metrics import evaluate

from .markdown import end, heading, row
from .original import as_points
from .reconstructions import fit_and_render, fov_psnr, regions_of, tuned
from .subjects import Subject, present, simulate, subject

IMAGES = ("sub-cervical", "phantom-1")
DIMENSIONS = (32, 512)


def run(options: Sequence[str], device: torch.device) -> None:
    """Print PSNR and SSIM of every method with both forward models."""
    heading("image", "method", "box", "point", "box - point", "SSIM box", "SSIM point")
    for name in options or [name for name in IMAGES if name in present()]:
        compare(subject(name), device)
    end()


def compare(image: Subject, device: torch.device) -> None:
    """The lines of one image."""
    grid, views = image.volume.grid, simulate(image.volume)
    fov = {"fov": regions_of(image, views)["fov"]}
    quality = fov_psnr(image.volume.array, fov["fov"])

    def line(method: str, box: Mapping[str, float], point: Mapping[str, float]) -> None:
        gain = box["psnr_fov"] - point["psnr_fov"]
        psnr = (f"{found['psnr_fov']:.2f}" for found in (box, point))
        ssim = (f"{found['ssim_fov']:.4f}" for found in (box, point))
        row(image.name, method, *psnr, f"{gain:+.2f}", *ssim)

    def classical(method: str, seen: Sequence[View]) -> Mapping[str, float]:
        return evaluate(tuned(seen, grid, method, quality).image, image.volume.array, fov)

    def inr(dim: int, seen: Sequence[View]) -> Mapping[str, float]:
        found = fit_and_render(seen, grid, device, dim)
        return evaluate(found.image, image.volume.array, fov)

    points = list(as_points(views))
    for method in ("tikhonov", "tv"):
        line(method, classical(method, views), classical(method, points))
    for dim in DIMENSIONS:
        line(f"INR F={dim}", inr(dim, views), inr(dim, points))
