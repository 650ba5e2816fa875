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
from .slice_numbers import SliceNumbers, counted_slices


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

    @property
    def correlation(self) -> float:
        """Correlation without the part that noise takes away; NaN where no other stack crosses."""
        total, difference = self.numbers.total_correlation, self.numbers.total_difference
        return 1 - (1 - total) * (self.excess / difference) ** 2 if difference > 0 else total


@dataclass(frozen=True, eq=False)
class CrossedStack:
    """A stack and what it and the others show on the lines where they cross.

    Attributes:
        values: (n,) intensities of the stack, of points within the body.
        others: (n,) intensities of the stack that crosses it there.
        slices: (n,) number of the slice of each point.
        other_stacks: (n,) number of the stack that crosses.
        other_slices: (n,) number of its slice.
        noise: (n,) variance of the difference by noise alone.
        counted: (slices,) bool, which slices of the stack have a say in the totals.
        peak: R.
    """

    values: np.ndarray
    others: np.ndarray
    slices: np.ndarray
    other_stacks: np.ndarray
    other_slices: np.ndarray
    noise: np.ndarray
    counted: np.ndarray
    peak: float

    def compare(self, used: np.ndarray | None = None) -> SliceNumbers:
        """Compare the stack with the others at the points marked in `used` (n,), or at all."""
        if used is None:
            used = np.ones(len(self.slices), bool)
        values, others, slices = self.values[used], self.others[used], self.slices[used]
        return SliceNumbers.compare(values, others, slices, self.peak, self.counted)

    def agreement(self, counted: Sequence[np.ndarray]) -> StackAgreement:
        """How the stack agrees with the slices of the others that have a say.

        Args:
            counted: of each stack (slices,) bool.
        """
        used = np.zeros(len(self.slices), bool)
        for number, slices in enumerate(counted):
            points = self.other_stacks == number
            used[points] = slices[self.other_slices[points]]
        noise = float(np.sqrt(self.noise[used].mean())) if used.any() else 0.0
        return StackAgreement(self.compare(used), noise / self.peak)


def cross_stacks(views: Sequence[View], peak: float) -> list[CrossedStack]:
    """Find what each stack and those that cross it show on their lines.

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
        here, there = np.divmod(lines, views[other].volume.grid.shape[views[other].axis])
        same = np.ones_like(lines)
        noise = _noise_variance(views[one], views[other]) * same
        parts[one].append((first, second, here, other * same, there, noise))
        parts[other].append((second, first, there, one * same, here, noise))
    stacks = []
    for view, part in zip(views, parts, strict=True):
        values, others, slices, other_stacks, other_slices, noise = _join(part)
        counted = counted_slices(view)
        stacks.append(
            CrossedStack(values, others, slices, other_stacks, other_slices, noise, counted, peak)
        )
    return stacks


def _join(parts: Sequence[tuple[np.ndarray, ...]]) -> list[np.ndarray]:
    """The columns of all crossings of a stack, one after the other."""
    none, number = np.zeros(0), np.zeros(0, int)
    empty = none, none, number, number, number, none
    return [np.concatenate(columns) for columns in zip(empty, *parts, strict=True)]


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
