"""Does the margin hold for other profiles, thicknesses, a third view and noisy views?

Unless said otherwise axial and sagittal box views, five voxels thick; Tikhonov and TV tuned in
their favour, as in `quality`. At SNR 20 the views have Rician noise of a twentieth of the mean cord
in each channel, and the reference has none of it. Options: names of scenarios, `ensemble` to fit
that too.
"""

import sys
from collections.abc import Sequence

import torch

from cordinr.acquisition.view import View

from .markdown import end, heading, row
from .reconstructions import Result, compare
from .subjects import Subject, present, simulate, subject, with_noise

SCENARIOS = {
    "gaussian": {"profile": "gaussian"},
    "thickness-3": {"thickness_voxels": 3},
    "thickness-4": {"thickness_voxels": 4},
    "thickness-6": {"thickness_voxels": 6},
    "three-views": {"axes": "SRA"},
    "snr-20": {"snr": 20.0},
}
"""Arguments of `simulate`, and the SNR of the views."""

IMAGES = ("sub-cervical", "phantom-1")


def run(options: Sequence[str], device: torch.device) -> None:
    """Print the table of scenarios, images and methods."""
    chosen = [option for option in options if option != "ensemble"] or list(SCENARIOS)
    unknown = set(chosen) - set(SCENARIOS)
    if unknown:
        sys.exit(f"no scenario is called {', '.join(unknown)}; there are {', '.join(SCENARIOS)}.")
    heading("scenario", "image", *Result.columns("fov"))
    for scenario in chosen:
        for name in (name for name in IMAGES if name in present()):
            image = subject(name)
            views = views_of(image, **SCENARIOS[scenario])
            for result in compare(image, views, device, ensemble="ensemble" in options):
                row(scenario, name, *result.cells("fov"))
    end()


def views_of(image: Subject, snr: float | None = None, **choices: object) -> list[View]:
    """The views of one scenario."""
    views = simulate(image.volume, **choices)
    return views if snr is None else with_noise(views, snr, image.signal)
