"""Which slices of the stacks do not fit to the others, in one word each."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ..acquisition.view import View
from .agreement import CrossedStack
from .slice_numbers import SliceNumbers

SliceWord = Literal["ok", "dark", "bright", "disagrees", "left out", "unknown"]
"""What is said of a slice. One that was left out is not measured at all, and unknown is one that
neither the reconstruction nor another stack covers."""

STRANGE: tuple[SliceWord, ...] = ("dark", "bright", "disagrees")
"""Words for slices that do not fit."""

MAX_GAIN = 1.15
"""Brightness of a slice, relative to the median of its stack, above which it is bright; below the
inverse it is dark."""

MIN_LACK = 0.1
"""How much more of its correlation a slice that disagrees lacks than the median of its stack."""

MIN_LACK_RATIO = 2.5
"""Lack of correlation (1 - r) of a slice that disagrees, in units of the median of its stack."""

MIN_DIFFERENCE_RATIO = 1.5
"""Difference of a slice that disagrees, in units of the median of its stack: a slice that shows
little correlates badly with anything."""


def judge_slices(
    views: Sequence[View], residuals: Sequence[SliceNumbers], stacks: Sequence[CrossedStack]
) -> tuple[list[list[SliceWord]], list[SliceNumbers]]:
    """Say of each slice of each stack whether it fits.

    Other stacks count before the reconstruction, which saw the slice itself; where none crosses the
    slice, the reconstruction counts. A slice that does not fit disagrees with all slices that cross
    it: the one that stands out most is named first, and then no longer compared with the others.

    Args:
        views: the stacks.
        residuals: of them against the reconstruction.
        stacks: what they and those that cross them show.

    Returns:
        For each stack a word per slice, and its numbers against those slices of the others that do
        fit.
    """
    named = [np.zeros(len(each.voxels), bool) for each in residuals]
    numbers = [stack.compare() for stack in stacks]
    while True:
        strange = [
            np.where(_is_strange(_words_of(each)) & ~marked, _outstanding(each), 0)
            for each, marked in zip(numbers, named, strict=True)
        ]
        worst = max(range(len(stacks)), key=lambda number: strange[number].max(initial=0))
        if not strange[worst].max(initial=0) > 0 or named[worst].mean() > 0.5:
            break
        named[worst][strange[worst].argmax()] = True
        numbers = [stack.compare(_fitting(stack, named)) for stack in stacks]
    words = [
        _choose_words(view, residual, crossing)
        for view, residual, crossing in zip(views, residuals, numbers, strict=True)
    ]
    return words, numbers


def _choose_words(view: View, residual: SliceNumbers, crossing: SliceNumbers) -> list[SliceWord]:
    crossed = np.isfinite(crossing.difference)
    pairs = zip(_words_of(residual), _words_of(crossing), crossed, strict=True)
    words = [second if known else first for first, second, known in pairs]
    if view.measured is not None:
        for number in np.flatnonzero(~view.measured.any(axis=view.in_plane)):
            words[number] = "left out"
    return words


def _fitting(stack: CrossedStack, named: Sequence[np.ndarray]) -> np.ndarray:
    """Points (n,) of a stack where the slice that crosses it was not named."""
    used = np.ones(len(stack.slices), bool)
    for number, marked in enumerate(named):
        points = stack.other_stacks == number
        used[points] = ~marked[stack.other_slices[points]]
    return used


def _outstanding(numbers: SliceNumbers) -> np.ndarray:
    """(slices,) difference in units of the median of the stack; 0 where it is not known."""
    known = np.isfinite(numbers.difference)
    if not known.any():
        return np.zeros(len(known))
    typical = np.median(numbers.difference[known]) or 1.0
    return np.nan_to_num(numbers.difference / typical)


def _is_strange(words: Sequence[SliceWord]) -> np.ndarray:
    return np.array([word in STRANGE for word in words], bool)


def _words_of(numbers: SliceNumbers) -> list[SliceWord]:
    """A word per slice, from one kind of numbers."""
    words: list[SliceWord] = ["unknown"] * len(numbers.voxels)
    known = np.isfinite(numbers.difference)
    if not known.any():
        return words
    gain = numbers.gain / np.nanmedian(numbers.gain[known])
    lack = 1 - numbers.correlation
    typical = float(np.nanmedian(lack[known])) if np.isfinite(lack[known]).any() else 0.0
    strange = lack > max(typical + MIN_LACK, MIN_LACK_RATIO * typical)
    strange &= _outstanding(numbers) > MIN_DIFFERENCE_RATIO
    for number in np.flatnonzero(known):
        if gain[number] < 1 / MAX_GAIN:
            words[number] = "dark"
        elif gain[number] > MAX_GAIN:
            words[number] = "bright"
        else:
            words[number] = "disagrees" if strange[number] else "ok"
    return words
