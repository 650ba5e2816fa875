"""Does the standard deviation over an ensemble rank the true error?

Voxels of the fov are removed in the order of the standard deviation (std), largest first. The curve
is the RMSE of those that stay, in units of the RMSE of all, against the part removed; the numbers
are the areas under it. Random: in random order. Oracle: in the order of the true error. Relative: 1
where the std is as good as the oracle, 0 where it is no better than chance. RMS error / std: how
many times too small the std is as a standard error. Options: names of images.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.stats import spearmanr

from cordinr.acquisition.overlap import coverage

from .markdown import end, heading, row, say
from .reconstructions import MEMBERS, fit_and_render
from .subjects import present, simulate, subject

IMAGES = ("sub-cervical", "phantom-1")
FRACTIONS = np.linspace(0, 0.99, 100)


def run(options: Sequence[str], device: torch.device) -> None:
    """Print areas and rank correlation for each image."""
    perfect, unrelated = made_up_areas()
    say(
        f"On made-up errors the relative area is {perfect:.2f} for a standard deviation equal to "
        f"the error and {unrelated:.2f} for an unrelated one."
    )
    heading("image", "std", "random", "oracle", "relative", "Spearman", "RMS error / std")
    for name in options or [name for name in IMAGES if name in present()]:
        volume = subject(name).volume
        views = simulate(volume)
        found = fit_and_render(views, volume.grid, device, members=MEMBERS)
        fov = coverage(views, volume.grid)
        error = np.abs(found.image - volume.array)[fov].astype(float)
        std = found.std[fov]
        areas = sparsification_areas(error, std)
        numbers = [*areas, relative_area(*areas), spearmanr(std, error).statistic]
        numbers.append(np.sqrt(np.mean(error**2) / np.mean(std**2)))
        row(name, *(f"{number:.3f}" for number in numbers))
    end()


def sparsification_areas(error: np.ndarray, std: np.ndarray) -> tuple[float, float, float]:
    """Areas under the curves of the standard deviation, of random order and of the oracle.

    Args:
        error: (n,) absolute errors, n at least 100.
        std: (n,) in any unit; only its order matters.
    """
    chance = np.random.default_rng(0).random(len(error))
    return tuple(area(error, ranking) for ranking in (std, chance, error))


def area(error: np.ndarray, ranking: np.ndarray) -> float:
    """Area under the relative RMSE of the voxels that stay, against the part removed.

    Args:
        error: (n,) absolute errors.
        ranking: (n,) voxels with the largest are removed first.
    """
    squared = error[np.argsort(-ranking, kind="stable")] ** 2
    staying = np.arange(len(squared), 0, -1)
    rmse = np.sqrt(squared[::-1].cumsum()[::-1] / staying)
    curve = rmse[(FRACTIONS * len(squared)).astype(int)] / rmse[0]
    return float(np.trapezoid(curve, FRACTIONS))


def relative_area(std: float, random: float, oracle: float) -> float:
    """(random - std) / (random - oracle).

    1 where the standard deviation orders voxels as their true error does, 0 where it does no better
    than chance, negative where it puts the well reconstructed voxels first.
    """
    return (random - std) / (random - oracle)


def made_up_areas() -> tuple[float, float]:
    """The relative area where std and error are equal (1) and unrelated (about 0)."""
    rng = np.random.default_rng(1)
    error, unrelated = np.abs(rng.normal(size=(2, 100_000)))
    numbers = (relative_area(*sparsification_areas(error, std)) for std in (error, unrelated))
    return tuple(numbers)
