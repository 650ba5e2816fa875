"""What a prior is worth to people whom it has not seen, and the calibration of its standard error.

Views of four kinds are simulated from the reference of a person who was left out, and the learned
image is compared with total variation, whose weight is tuned on the reference in its favour.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ..acquisition.overlap import coverage
from ..acquisition.profile import SliceProfile
from ..acquisition.simulate import acquire
from ..acquisition.view import View
from ..classical.reconstruct import reconstruct_baseline
from ..imaging.body import foreground
from ..imaging.volume import Volume
from .examples import Reference
from .predict import predict_learned
from .prior_file import Prior
from .random_views import with_noise

SCENARIOS = ("plain", "noise", "three", "thin")
"""Two views of slices of five voxels; the same with noise; three views; two of thinner slices."""

THICKNESS, THIN = 5.0, 3.0
"""Thickness of slices in voxels."""

NOISE = 0.03
"""Standard deviation of the noise, as a fraction of the 99.9th percentile of the reference."""

WEIGHTS, WEIGHTS_NOISE = (0.0004, 0.002), (0.004, 0.01, 0.02)
"""Weights of which total variation takes the best, beside that of `features`, without noise and
with it."""

SCORED_VOXELS = 120
"""Largest number of voxels along an axis of what is scored, in the middle of a reference."""

CALIBRATION_BOUNDS = (0.2, 5.0)
"""Smallest and largest factor on the standard error."""


@dataclass(frozen=True)
class Score:
    """What a prior is worth to one person in one scenario.

    Attributes:
        person: who was left out.
        scenario: one of `SCENARIOS`.
        gain: decibels by which the squared error of the learned image, where views overlap, is
            below that of total variation at its best weight.
        error_over_se: root mean square of the error over that of the standard error of the network,
            in the body.
        inside68: part of the voxels of the body whose error is within one standard error.
        inside95: likewise, within 1.96.
        steps: of learning that the prior had.
    """

    person: str
    scenario: str
    gain: float
    error_over_se: float
    inside68: float
    inside95: float
    steps: int = 0

    @classmethod
    def from_record(cls, fields: Mapping[str, Any]) -> "Score":
        """Read it from the record of a prior.

        Raises:
            ValueError: it is none.
        """
        try:
            found = cls(
                person=str(fields["person"]),
                scenario=str(fields["scenario"]),
                gain=float(fields["gain"]),
                error_over_se=float(fields["error_over_se"]),
                inside68=float(fields["inside68"]),
                inside95=float(fields["inside95"]),
                steps=int(fields.get("steps", 0)),
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ValueError("its record holds scores that cordinr does not write") from error
        numbers = [found.gain, found.error_over_se, found.inside68, found.inside95]
        if not (np.isfinite(numbers).all() and found.error_over_se > 0):
            raise ValueError("its record holds scores that cannot be")
        return found


def score(
    reference: Reference, prior: Prior, device: torch.device | str = "cpu", steps: int = 0
) -> Iterator[Score]:
    """Score a prior on a person, one scenario after the other.

    Args:
        reference: of a person who was not among the learners.
        prior: to be scored; its calibration is left out.
        device: where the network and total variation are computed.
        steps: of learning that the prior had.
    """
    prior = replace(prior, calibration=1.0)
    volume = middle(reference.volume)
    for scenario in SCENARIOS:
        views = views_of(volume, scenario)
        learned = predict_learned(views, volume.grid, prior, device=device)
        seen = coverage(views, volume.grid)
        body = seen & foreground(volume.array, volume.grid.voxel_sizes)
        weights = WEIGHTS_NOISE if scenario == "noise" else WEIGHTS
        rivals = [learned.variation]
        rivals += [reconstruct_baseline(views, volume.grid, "tv", each, device) for each in weights]
        best = min(_square(each - volume.array, seen) for each in rivals)
        wrong = learned.image - volume.array
        error = learned.standard_error
        yield Score(
            person=reference.person,
            scenario=scenario,
            gain=float(10 * np.log10(best / _square(wrong, seen))),
            error_over_se=float(np.sqrt(_square(wrong, body) / _square(error, body))),
            inside68=float((np.abs(wrong) < error)[body].mean()),
            inside95=float((np.abs(wrong) < 1.96 * error)[body].mean()),
            steps=steps,
        )


def calibration_of(scores: Sequence[Score]) -> float:
    """The factor on the standard error that people who were left out ask for; 1 without any.

    Args:
        scores: of people; each person counts the same.
    """
    people: dict[str, list[float]] = {}
    for each in scores:
        people.setdefault(each.person, []).append(each.error_over_se)
    if not people:
        return 1.0
    return float(np.clip(np.mean([np.mean(each) for each in people.values()]), *CALIBRATION_BOUNDS))


def views_of(volume: Volume, scenario: str) -> list[View]:
    """The views of one scenario, with the same noise every time."""
    letters = "SRA" if scenario == "three" else "SR"
    views = []
    for letter in letters:
        axis = volume.grid.axis_along(letter)
        voxel = float(volume.grid.voxel_sizes[axis])
        thickness = (THIN if scenario == "thin" else THICKNESS) * voxel
        views.append(acquire(volume, axis, SliceProfile("box", thickness), thickness))
    if scenario != "noise":
        return views
    rng = np.random.default_rng(0)
    sigma = NOISE * float(np.percentile(volume.array, 99.9))
    return [with_noise(view, sigma, rng) for view in views]


def middle(volume: Volume, voxels: int = SCORED_VOXELS) -> Volume:
    """The middle of a volume, of at most a number of voxels along each axis."""
    shape = np.array(volume.grid.shape)
    size = np.minimum(shape, voxels)
    low = (shape - size) // 2
    part = tuple(slice(a, a + n) for a, n in zip(low, size, strict=True))
    return Volume(np.ascontiguousarray(volume.array[part]), volume.grid.cropped(low, size))


def _square(values: np.ndarray, where: np.ndarray) -> float:
    return float(np.mean(np.square(values[where], dtype=np.float64)))
