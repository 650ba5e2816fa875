"""What scans say of each other: their intensities where their slices cross.

No reconstruction is asked, so that a method cannot flatter itself.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..acquisition.noise import noise_of
from ..acquisition.view import View
from ..alignment.crossings import Crossing
from ..alignment.search import LEVELS
from ..imaging.body import FOREGROUND_FRACTION
from .detail import blur_weights
from .slice_numbers import SliceNumbers


@dataclass(frozen=True, eq=False)
class StackAgreement:
    """How a stack agrees with those that cross it, within the body.

    Attributes:
        numbers: its intensities against those of the others; their `voxels` are points on lines.
        noise: RMS of the differences that noise alone would make, relative to R.
    """

    numbers: SliceNumbers
    noise: float

    @property
    def excess(self) -> float:
        """RMS difference beyond the noise, relative to R; NaN where no other stack crosses."""
        square = self.numbers.total_difference**2 - self.noise**2
        return float(np.sqrt(np.maximum(square, 0.0)))


def find_agreement(views: Sequence[View], peak: float) -> list[StackAgreement]:
    """Compare each stack with all those that cross it.

    Both are blurred by the profile of the other, so that they show the same on the lines where
    their slices cross.

    Args:
        views: aligned, of equal gain.
        peak: R.
    """
    parts: list[list[tuple[np.ndarray, ...]]] = [[] for _ in views]
    for one, other in itertools.combinations(range(len(views)), 2):
        if views[one].is_parallel_to(views[other]):
            continue
        first, second, lines = _compare(views, one, other)
        body = np.maximum(first, second) > FOREGROUND_FRACTION * peak
        first, second, lines = first[body], second[body], lines[body]
        noise = np.full(len(lines), _noise_variance(views[one], views[other]))
        count = views[other].volume.grid.shape[views[other].axis]
        parts[one].append((first, second, lines // count, noise))
        parts[other].append((second, first, lines % count, noise))
    return [_join(view, part, peak) for view, part in zip(views, parts, strict=True)]


def _join(view: View, parts: Sequence[tuple[np.ndarray, ...]], peak: float) -> StackAgreement:
    """The agreement of a stack from intensities, expected ones, slices and noise per crossing."""
    empty = np.zeros(0), np.zeros(0), np.zeros(0, int), np.zeros(0)
    ours, theirs, slices, noise = map(np.concatenate, zip(empty, *parts, strict=True))
    count = view.volume.grid.shape[view.axis]
    numbers = SliceNumbers.compare(ours, theirs, slices, count, peak)
    return StackAgreement(numbers, float(np.sqrt(noise.mean())) / peak if len(noise) else 0.0)


def _noise_variance(one: View, other: View) -> float:
    """Variance of the difference of two crossing stacks of equal signal."""
    pairs = ((one, blur_weights(one, other)), (other, blur_weights(other, one)))
    return sum(noise_of(view) ** 2 * float(weights @ weights) for view, weights in pairs)


def _compare(
    views: Sequence[View], one: int, other: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What both stacks show where they cross, (n,) each, and the (n,) numbers of the lines."""
    blur_mm, step_mm, points, _ = LEVELS[-1]
    still = np.eye(4)
    crossing = Crossing.of(
        (views[one], views[other]),
        (one, other),
        (still, still),
        blur_mm=blur_mm,
        step_mm=step_mm,
        points=points,
        margin_mm=0.0,
    )
    first, second, both = crossing.compare(still, still)
    lines = crossing.chosen // len(crossing.along)
    return first[both], second[both], lines[both]
