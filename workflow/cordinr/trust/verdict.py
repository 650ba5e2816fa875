"""Whether a reconstruction can be trusted: one of three words, with the reasons for it.

The limits were chosen on simulated scans whose true errors are known; docs/trust.md tells how.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .expected_error import ErrorSources
from .hold_out import HoldOut
from .slice_words import STRANGE, SliceWord

Word = Literal["trusted", "doubtful", "do not use"]
"""The verdict."""

WORDS: tuple[Word, ...] = ("trusted", "doubtful", "do not use")
"""From the best to the worst verdict."""

MAX_ERRORS = (0.1, 0.2)
"""Expected error, relative to R, above which a reconstruction is doubtful, and not to be used."""

MIN_CORRELATIONS = (0.93, 0.5)
"""Correlation of a stack with those that cross it, as far as noise lets it, below which the
reconstruction is doubtful, and not to be used."""

MAX_RESIDUALS = (0.05, 0.12)
"""Residual of a stack beyond its noise, relative to R, above which the same holds."""

MAX_STACK_GAIN = 1.1
"""How many times as bright as the scans that cross it a stack may be."""

MAX_BAD_SLICES = 0.05
"""Fraction of the slices of a stack that do not fit above which a reconstruction is doubtful."""

MIN_CROSSED = 0.5
"""Fraction of the image that two slice directions have to see."""


@dataclass(frozen=True, eq=False)
class StackEvidence:
    """What a verdict is based on, of one stack.

    Attributes:
        name: of the stack.
        correlation: with the stacks that cross it, on their lines; NaN where none does.
        gain: how many times as bright as those stacks it is; NaN where none crosses it.
        residual: beyond the noise, relative to R; NaN where the image covers none of it.
        words: one per slice.
        held_out: how well left-out slices are predicted; None if that was not tried.
    """

    name: str
    correlation: float
    gain: float
    residual: float
    words: Sequence[SliceWord]
    held_out: HoldOut | None = None


@dataclass
class Verdict:
    """A word and its reasons.

    Attributes:
        word: the verdict.
        reasons: half-sentences, of which each makes the word what it is or worse than the best.
    """

    word: Word = "trusted"
    reasons: list[str] = field(default_factory=list)

    def lower(self, level: int, reason: str) -> None:
        """Note a reason why the word is at best that of a level: 1 or 2."""
        self.word = WORDS[max(level, WORDS.index(self.word))]
        self.reasons.append(reason)


def judge(
    stacks: Sequence[StackEvidence],
    sources: ErrorSources,
    crossed: float,
    problems: Mapping[int, str],
) -> Verdict:
    """Reach a verdict.

    Args:
        stacks: all of them.
        sources: of the expected error.
        crossed: fraction of the image that at least two slice directions see.
        problems: why a stack could not be aligned, by its number.
    """
    verdict = Verdict()
    for number, problem in problems.items():
        verdict.lower(1, f"{stacks[number].name} {problem}")
    if all(np.isnan(stack.correlation) for stack in stacks):
        verdict.lower(1, "no scan of another direction confirms what lies between the slices")
    elif crossed < MIN_CROSSED:
        part = f"{100 * crossed:.0f} %"
        verdict.lower(1, f"only {part} of the image is seen by scans of two directions")
    if _judge_agreement(verdict, stacks) < 2:  # else the rest says the same once more
        _judge_residuals(verdict, stacks)
        for stack in stacks:
            _judge_stack(verdict, stack)
    level = _level(-sources.expected_error, [-limit for limit in MAX_ERRORS])
    if level:
        verdict.lower(level, f"the expected error is large, as {sources.main}")
    ratios = [stack.held_out.ratio for stack in stacks if stack.held_out]
    if ratios and min(ratios) > 1:
        verdict.lower(1, "left-out slices are predicted worse than by interpolation")
    return verdict


def _judge_agreement(verdict: Verdict, stacks: Sequence[StackEvidence]) -> int:
    """Lower a verdict where stacks do not show the same; returns the level."""
    low = [stack for stack in stacks if _level(stack.correlation, MIN_CORRELATIONS)]
    if not low:
        return 0
    worst = min(stack.correlation for stack in low)
    level = _level(worst, MIN_CORRELATIONS)
    if len(low) == len(stacks):
        said = "the scans do not show the same where they cross"
    else:
        verb = "does" if len(low) == 1 else "do"
        names = _join([stack.name for stack in low])
        said = f"{names} {verb} not show what scans of other directions show where they cross"
    verdict.lower(level, f"{said} (correlation {worst:.2f})")
    return level


def _judge_residuals(verdict: Verdict, stacks: Sequence[StackEvidence]) -> None:
    """Lower a verdict where the image does not explain stacks."""
    limits = [-limit for limit in MAX_RESIDUALS]
    large = [stack for stack in stacks if _level(-stack.residual, limits)]
    if large:
        percents = _join([f"{100 * stack.residual:.1f}" for stack in large])
        verdict.lower(
            max(_level(-stack.residual, limits) for stack in large),
            f"the image does not explain {_join([stack.name for stack in large])} (residual beyond "
            f"noise {percents} % of the intensity range)",
        )


def _judge_stack(verdict: Verdict, stack: StackEvidence) -> None:
    """Lower a verdict where a stack is brighter than the others, or many of its slices are odd."""
    if stack.gain > MAX_STACK_GAIN:
        verdict.lower(
            1, f"{stack.name} is {stack.gain:.2f} times as bright as the scans that cross it"
        )
    bad = [word for word in stack.words if word in STRANGE]
    if len(bad) > MAX_BAD_SLICES * len(stack.words):
        kinds = ", ".join(f"{bad.count(kind)} {kind}" for kind in sorted(set(bad)))
        total = len(stack.words)
        verdict.lower(1, f"{len(bad)} of {total} slices of {stack.name} do not fit ({kinds})")


def _join(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _level(value: float, limits: Sequence[float]) -> int:
    """How many of two limits a value falls short of; 0 for NaN."""
    return sum(bool(value < limit) for limit in limits)
