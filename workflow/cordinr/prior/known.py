"""What kinds of views a prior has seen, and what becomes of others.

A prior that learnt slices of 3 to 6 voxels knows nothing of ten. Its correction fades beyond what
it knows, and its standard error widens.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..acquisition.noise import excess_noise
from ..acquisition.view import View, intensity_scale
from ..imaging.grid import Grid
from .examples import Example
from .features import view_kind

TOLERANCE = 1.1
"""Factor beyond the range of what was seen that is still taken for known."""

NOISE_FLOOR = 0.01
"""Noise level, in units of the intensity scale, below which all views count as equally quiet."""


@dataclass(frozen=True)
class KnownViews:
    """Ranges of the views that a prior learnt from.

    Attributes:
        thickness: of slices, thinnest and thickest, in voxels.
        spacing: of slices, closest and farthest, in voxels.
        noise: largest standard deviation, as a fraction of the intensity scale.
    """

    thickness: tuple[float, float]
    spacing: tuple[float, float]
    noise: float

    @classmethod
    def of(cls, examples: Sequence[Example]) -> "KnownViews":
        """The ranges of examples."""
        kinds = np.concatenate([example.kinds for example in examples])
        (thin, close), (thick, far) = kinds.min(axis=0), kinds.max(axis=0)
        noise = max(example.noise for example in examples)
        return cls((float(thin), float(thick)), (float(close), float(far)), noise)

    @classmethod
    def from_header(cls, fields: Mapping[str, Any]) -> "KnownViews":
        """Read them from JSON.

        Raises:
            ValueError: they are no such ranges.
        """
        try:
            pairs = [tuple(map(float, fields[name])) for name in ("thickness", "spacing")]
            noise = float(fields["noise"])
        except (LookupError, TypeError) as error:
            raise ValueError("its header does not say which views it knows") from error
        for pair in pairs:
            if len(pair) != 2 or not 0 < pair[0] <= pair[1] < math.inf:
                raise ValueError("its header says that it knows views that cannot be")
        if not 0 <= noise < math.inf:
            raise ValueError("its header says that it knows views that cannot be")
        (thin, thick), (close, far) = pairs
        return cls((thin, thick), (close, far), noise)

    def joined(self, other: "KnownViews") -> "KnownViews":
        """The ranges that hold both."""
        return KnownViews(
            (
                min(self.thickness[0], other.thickness[0]),
                max(self.thickness[1], other.thickness[1]),
            ),
            (min(self.spacing[0], other.spacing[0]), max(self.spacing[1], other.spacing[1])),
            max(self.noise, other.noise),
        )

    def strangeness(self, views: Sequence[View], grid: Grid) -> tuple[float, str]:
        """How far views lie outside of what is known.

        Args:
            views: to be reconstructed.
            grid: on which the prior is asked.

        Returns:
            The largest factor between a property of the views and its range, at least 1, and a few
            words on that property, empty where all is known.
        """
        found = [(1.0, "")]
        for view in views:
            thickness, spacing = view_kind(view, grid)
            found.append(_outside("slices", thickness, self.thickness, "voxels thick"))
            found.append(_outside("slices", spacing, self.spacing, "voxels apart"))
        level = math.sqrt(excess_noise(views, intensity_scale(views)))
        factor = max(level, NOISE_FLOOR) / max(self.noise, NOISE_FLOOR)
        if factor > TOLERANCE:
            words = f"noise of {level:.1%} of the intensities, and knows {self.noise:.1%}"
            found.append((factor, words))
        return max(found, key=lambda each: each[0])


def _outside(what: str, value: float, known: tuple[float, float], unit: str) -> tuple[float, str]:
    low, high = known
    factor = max(low / value, value / high)
    if factor <= TOLERANCE:
        return 1.0, ""
    return factor, f"{what} {value:.3g} {unit}, and knows {low:.3g} to {high:.3g}"
