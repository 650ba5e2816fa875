"""Which slices of a stack do not fit to the others, in one word each."""

from typing import Literal

import numpy as np

from .slice_numbers import SliceNumbers

SliceWord = Literal["ok", "dark", "bright", "disagrees", "unknown"]
"""What is said of a slice; unknown is one that no reconstruction and no other stack covers."""

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


def judge_slices(residual: SliceNumbers, agreement: SliceNumbers) -> list[SliceWord]:
    """Say of each slice of a stack whether it fits.

    Other stacks count before the reconstruction, which saw the slice itself; where none crosses the
    slice, the reconstruction counts.

    Args:
        residual: of the stack against the reconstruction.
        agreement: of the stack against those that cross it.
    """
    words: list[SliceWord] = ["unknown"] * len(residual.voxels)
    for numbers in (residual, agreement):
        known = np.isfinite(numbers.difference)
        if not known.any():
            continue
        gain = numbers.gain / np.nanmedian(numbers.gain[known])
        lack = 1 - numbers.correlation
        typical = float(np.nanmedian(lack[known])) if np.isfinite(lack[known]).any() else 0.0
        strange = lack > max(typical + MIN_LACK, MIN_LACK_RATIO * typical)
        difference = numbers.difference / np.nanmedian(numbers.difference[known])
        strange &= difference > MIN_DIFFERENCE_RATIO
        for number in np.flatnonzero(known):
            if gain[number] < 1 / MAX_GAIN:
                words[number] = "dark"
            elif gain[number] > MAX_GAIN:
                words[number] = "bright"
            else:
                words[number] = "disagrees" if strange[number] else "ok"
    return words
