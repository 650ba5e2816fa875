"""How do the original study's recipe and ours compare on the same image?

`workflow/original.yaml` run by our code: point sampling, no slice profile, one wide ReLU network,
Adam, tiny batches. Both see the same box views of the crop of `sub-cervical` (of `phantom-1` where
that is missing); the original takes them for points. Its 50 epochs take about 15 minutes on two
cores, so that by default it gets 2, with its cosine shortened to fit. Options: `full` for as many
as the overlay says, or a number of epochs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

import torch
import yaml

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.view import View
from cordinr.evaluation.metrics import evaluate
from cordinr.inr.settings import FitSettings

from .markdown import end, heading, row, say
from .reconstructions import ROOT, Reconstruction, fit_and_render, regions_of
from .subjects import CROP, first_of, simulate, subject

OVERLAY = ROOT / "workflow" / "original.yaml"
EPOCHS = 2.0
OUR_PASSES = (0.5, 1, 2, 4, 8, 16)


def run(options: Sequence[str], device: torch.device) -> None:
    """Print PSNR, SSIM and seconds of both, and our seconds to the original's PSNR."""
    image = subject(first_of(CROP, "phantom-1"))
    grid, views = image.volume.grid, simulate(image.volume)
    fov = {"fov": regions_of(image, views)["fov"]}

    def show(recipe: str, passes: float, found: Reconstruction) -> float:
        scores = evaluate(found.image, image.volume.array, fov)
        numbers = [f"{scores['psnr_fov']:.2f}", f"{scores['ssim_fov']:.4f}"]
        own = scores.get("psnr_original")
        numbers += ["" if own is None else f"{own:.2f}", f"{found.seconds:.1f}"]
        row(recipe, f"{passes:g}", *numbers)
        return scores["psnr_fov"]

    choices = original_choices(options)
    heading("recipe", "passes", "PSNR fov", "SSIM fov", "PSNR, original's protocol", "seconds")
    original = fit_and_render(list(as_points(views)), grid, device, **choices)
    target = show("original", choices["passes"], original)
    ours = fit_and_render(views, grid, device)
    best = show("ours", FitSettings().passes, ours)
    reached = None
    for passes in OUR_PASSES:
        quick = fit_and_render(views, grid, device, passes=passes)
        if show("ours, shorter", passes, quick) >= target:
            reached = quick.seconds
            break
    end()
    verdict = "not reached by our shorter fits"
    if reached is not None:
        verdict = f"reached {original.seconds / reached:.0f} times faster ({reached:.1f} s)"
    say(f"{image.name}: ours {best - target:+.2f} dB; the original's final PSNR is {verdict}.")


def original_choices(options: Sequence[str]) -> dict[str, object]:
    """The `fit:` section of the overlay, checked, with the epochs that the options ask for."""
    fit = yaml.safe_load(OVERLAY.read_text())["fit"]
    if "full" not in options:
        fit["passes"] = float(options[0]) if options else EPOCHS
    return asdict(FitSettings.from_mapping(fit, str(OVERLAY)))


def as_points(views: Sequence[View]) -> Iterator[View]:
    """The same slices, said to have no thickness."""
    for view in views:
        yield replace(view, profile=SliceProfile("point", view.profile.thickness))
