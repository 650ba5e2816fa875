"""How bright the slices of aligned stacks are, and which of them disagree with all others.

Everything is read from the lines on which the slices of two stacks cross: a slice crosses every
slice of the other stacks, so that one which is too bright, was moved or shows another place
disagrees on all of its lines, while each of the others disagrees on one line.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from ..acquisition.view import View
from .lines import MIN_BRIGHTNESS, MIN_POINTS, ROUNDS, Lines, huber_weights, intensity_of

GAIN_PRIOR = 0.3
"""Standard deviation of the logarithm of the gain of a slice that is expected beforehand."""

MIN_GAIN = 0.03
"""Deviation of the gain of a slice from 1 below which it is not corrected."""

MIN_STANDARD_ERRORS = 5.0
"""Deviation of such a gain, in units of its standard error, below which it is not corrected."""

MANY = 0.25
"""Fraction of the slices of a stack from which unlike gains are not single outliers."""

WORST_RATIO = 2.5
"""Disagreement of a slice, in units of that of a typical slice, from which it counts less."""

MIN_DISAGREEMENT = 0.15
"""Median difference on the lines of a slice, as a fraction of their median intensity, below which
it counts in full in any case."""

LEAST_TRUST = 0.1
"""Weight below which a slice is left out."""


@dataclass(frozen=True, eq=False)
class SliceIntensities:
    """Brightness and trust of the slices of a stack.

    Attributes:
        gains: (slices,) by which their intensities have to be divided, besides that of the stack.
        trust: (slices,) weights from 0 to 1 of their squared errors.
        disagreement: (slices,) median difference on their lines over their median intensity,
            after the correction; NaN where nothing is known.
    """

    gains: np.ndarray
    trust: np.ndarray
    disagreement: np.ndarray

    @classmethod
    def none(cls, view: View) -> "SliceIntensities":
        """Nothing to be corrected."""
        count = view.volume.grid.shape[view.axis]
        return cls(np.ones(count), np.ones(count), np.full(count, np.nan))

    def padded(self, first: int, count: int) -> "SliceIntensities":
        """The same for a file of `count` slices, of which the stack has those from `first` on."""
        rest = count - first - len(self.gains)
        ends = first, rest
        return SliceIntensities(
            np.pad(self.gains, ends, constant_values=1.0),
            np.pad(self.trust, ends, constant_values=1.0),
            np.pad(self.disagreement, ends, constant_values=np.nan),
        )

    @property
    def corrected(self) -> list[int]:
        """Numbers of the slices, from 0, whose gain is corrected."""
        return [int(k) for k in np.flatnonzero(self.gains != 1)]

    @property
    def doubted(self) -> list[int]:
        """Numbers of the slices, from 0, that count less."""
        return [int(k) for k in np.flatnonzero(self.trust < 1)]


def estimate_slices(
    views: Sequence[View], lines: Sequence[Lines], fixed: int
) -> tuple[np.ndarray, list[SliceIntensities]]:
    """Gain and trust of every slice of all stacks.

    Args:
        views: the stacks.
        lines: of all pairs whose slices cross, gains of stacks and shading removed.
        fixed: number of the stack whose intensities stay, but for those of single slices.

    Returns:
        (stacks,) further gains of the stacks, and what is known of the slices of each.
    """
    counts = [view.volume.grid.shape[view.axis] for view in views]
    starts = np.cumsum([0, *counts])
    scale = intensity_of(lines)
    bright = [each.values.max(axis=0) > MIN_BRIGHTNESS * scale for each in lines]
    values = np.hstack([each.values[:, use] for each, use in zip(lines, bright, strict=True)])
    owner = np.hstack(
        [
            each.slices[:, use] + starts[list(each.numbers)][:, None]
            for each, use in zip(lines, bright, strict=True)
        ]
    )
    points = np.bincount(owner.ravel(), minlength=starts[-1])
    gains, errors = _slice_gains(values, owner, int(starts[-1]))
    parts = [slice(start, stop) for start, stop in itertools.pairwise(starts)]
    known = [gains[part][points[part] >= MIN_POINTS] for part in parts]
    levels = np.array([_level(each) for each in known])
    for part, level in zip(parts, levels, strict=True):
        gains[part] -= level
    doubtful = (np.abs(gains) < MIN_STANDARD_ERRORS * errors) | (points < MIN_POINTS)
    gains[doubtful | (np.abs(np.expm1(gains)) < MIN_GAIN)] = 0
    with_levels = gains + np.repeat(levels, counts)
    trust, disagreement = _judge(values, with_levels, owner, points, counts, scale)
    # A slice that shows something else has no gain.
    gains[trust < 1] = 0
    found = [SliceIntensities(np.exp(gains[p]), trust[p], disagreement[p]) for p in parts]
    return np.exp(levels - levels[fixed]), found


def _level(gains: np.ndarray) -> float:
    """The logarithm of the gain that most slices of a stack have.

    Where many slices have another gain, that of the brighter ones: excitation of the neighbouring
    slices makes every second slice dark, and never bright.
    """
    if not len(gains):
        return 0.0
    middle = float(np.median(gains))
    unlike = np.abs(gains - middle) > MIN_GAIN
    return float(np.percentile(gains, 75)) if unlike.mean() > MANY else middle


def _slice_gains(
    values: np.ndarray, owner: np.ndarray, total: int
) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of the gains of all slices, and their standard errors.

    Args:
        values: (2, n) intensities.
        owner: (2, n) numbers of the slices, counted through all stacks.
        total: number of slices of all stacks.
    """
    gains, robust = np.zeros(total), np.ones(values.shape[1])
    level = max(float(np.median(np.abs(values))), 1e-12)
    spread = np.diag(np.full(total, 1.0))
    for _ in range(ROUNDS):
        one, other = _balanced(values, gains, owner)
        difference, brightness = one - other, (one + other) / 2
        rows = np.arange(len(one))
        jacobian = scipy.sparse.csr_array(
            (
                np.concatenate([-brightness, brightness]),
                (np.concatenate([rows, rows]), owner.ravel()),
            ),
            shape=(len(one), total),
        )
        weighted = jacobian.T @ scipy.sparse.diags_array(robust)
        noise = float(np.average(difference**2, weights=robust)) + (1e-4 * level) ** 2
        normal = (weighted @ jacobian).toarray() / noise + np.eye(total) / GAIN_PRIOR**2
        # What all have in common no line tells: it is held at 0.
        normal += 1e3 * np.trace(normal) / total**2
        step = -(weighted @ difference) / noise - gains / GAIN_PRIOR**2
        spread = np.linalg.inv(normal)
        gains = gains + np.clip(spread @ step, -0.3, 0.3)
        one, other = _balanced(values, gains, owner)
        robust = huber_weights(one - other)
    return gains, np.sqrt(np.diag(spread))


def _balanced(values: np.ndarray, gains: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """(2, n) intensities with the ratio of the gains removed, half from either.

    Divided by its own gain each, both could be made equal by gains without bound.
    """
    half = np.exp((gains[owner[0]] - gains[owner[1]]) / 2)
    return np.stack([values[0] / half, values[1] * half])


def _judge(
    values: np.ndarray,
    gains: np.ndarray,
    owner: np.ndarray,
    points: np.ndarray,
    counts: Sequence[int],
    scale: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Trust and disagreement of all slices, from the median differences on their lines."""
    one, other = _balanced(values, gains, owner)
    difference, brightness = np.abs(one - other), (np.abs(one) + np.abs(other)) / 2
    disagreement = np.full(len(points), np.nan)
    order = np.argsort(owner.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(owner.ravel(), minlength=len(points)))
    both = np.tile(difference, 2)[order], np.tile(brightness, 2)[order]
    for number, end in enumerate(ends):
        if points[number] >= MIN_POINTS:
            part = slice(end - points[number], end)
            middle = max(float(np.median(both[1][part])), MIN_BRIGHTNESS * scale)
            disagreement[number] = float(np.median(both[0][part])) / middle
    trust = np.ones(len(points))
    ends = np.cumsum([0, *counts])
    for start, stop in itertools.pairwise(ends):
        known = disagreement[start:stop]
        if np.isfinite(known).any():
            limit = max(WORST_RATIO * float(np.nanmedian(known)), MIN_DISAGREEMENT)
            worse = np.nan_to_num(known, nan=0.0) > limit
            weight = (limit / known[worse]) ** 4
            trust[start:stop][worse] = np.where(weight < LEAST_TRUST, 0, weight)
    return trust, disagreement
