"""Does one INR, or an ensemble, beat the classical methods?

Axial and sagittal box views, five voxels thick, without gaps. The weights of Tikhonov and TV are
tuned per image, in their favour: of seven and more, the one with the best PSNR over the fov against
the reference, which no user has. Their seconds are those of that weight alone. Options: names of
images.
"""

from collections.abc import Sequence

import numpy as np
import torch

from cordinr.evaluation.metrics import psnr
from cordinr.evaluation.regions import REGIONS
from cordinr.imaging.body import intensity_range
from cordinr.methods import BASELINES

from .markdown import end, heading, row, say
from .reconstructions import Result, classical, compare, default_weight
from .subjects import CROP, PHANTOM_NAMES, REAL_NAMES, present, simulate, subject


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of images and methods, then the smallest margins."""
    crop()
    results = {}
    heading("image", *Result.columns(*REGIONS))
    for name in options or [name for name in (*REAL_NAMES, *PHANTOM_NAMES) if name in present()]:
        image = subject(name)
        for result in compare(image, simulate(image.volume), device, ensemble=True):
            row(name, *result.cells(*REGIONS))
            if result.margin:
                results.setdefault(result.method, {})[name] = result.margin
    end()
    for method, margins in results.items():
        say(smallest(method, margins))


def smallest(method: str, margins: dict[str, tuple[float, float]]) -> str:
    """A sentence on the images where a method is closest to total variation."""
    parts = []
    for metric, unit in enumerate((".2f} dB", ".4f} SSIM")):
        worst = min(margins, key=lambda name: margins[name][metric])
        parts.append(("{:+" + unit).format(margins[worst][metric]) + f" on {worst}")
    return f"{method}, smallest margins over TV: {', '.join(parts)}."


def crop() -> None:
    """The classical methods with default weights over the whole box of one cropped real image."""
    if CROP not in present():
        return
    volume = subject(CROP).volume
    views = simulate(volume)
    box, peak = np.ones(volume.array.shape, bool), intensity_range(volume.array)
    scores = []
    for method in BASELINES:
        weight = 0.0 if method == "cubic" else default_weight(method, views)
        image = classical(views, volume.grid, method, weight).image
        scores.append(f"{method} {psnr(image, volume.array, box, peak):.2f} dB")
    say(f"{CROP}, whole box, default weights: {', '.join(scores)}.")
