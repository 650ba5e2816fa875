"""All that can be said of a reconstruction without a reference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy import ndimage

from ..acquisition.overlap import count_directions
from ..acquisition.view import View
from ..errors import InputError
from ..imaging.volume import Volume
from .agreement import StackAgreement, cross_stacks
from .detail import hidden_detail
from .expected_error import ErrorSources
from .hold_out import HoldOut
from .prediction import Covered
from .residuals import StackResidual, find_residuals, range_of
from .slice_numbers import SliceNumbers, counted_slices
from .slice_words import STRANGE, SliceWord, judge_slices
from .verdict import StackEvidence, Verdict, judge


class HasProblems(Protocol):
    """An alignment, or what the sidecars of the scans say of one."""

    @property
    def problems(self) -> Mapping[int, str]:
        """Why a stack could not be aligned, by its number."""


@dataclass(frozen=True, eq=False)
class StackAssessment:
    """What is known of a stack.

    Attributes:
        name: of the stack.
        residual: what the reconstruction explains of it.
        agreement: what the stacks that cross it say of it.
        crossing: the same slice by slice, without those slices of the others that do not fit.
        detail: what slices of those stacks hide of the detail that this one shows, relative to R.
        words: whether each slice fits.
        held_out: how well left-out slices are predicted; None if that was not tried.
        first_slice: number of its first slice in its file.
    """

    name: str
    residual: StackResidual
    agreement: StackAgreement
    crossing: SliceNumbers
    detail: float
    words: tuple[SliceWord, ...]
    held_out: HoldOut | None = None
    first_slice: int = 0

    def describe(self) -> str:
        """A line for people."""
        residual, crossing = self.residual.numbers, self.agreement.numbers
        parts = []
        if residual.total_voxels:
            parts.append(
                f"residual {_percent(residual.total_difference)}, noise "
                f"{_percent(self.residual.noise)}"
            )
        if crossing.total_voxels:
            parts.append(
                f"correlation {crossing.total_correlation:.3f} and gain {crossing.total_gain:.2f} "
                "where other scans cross it"
            )
        if self.held_out:
            predicted, interpolated = self.held_out.reconstruction, self.held_out.interpolation
            better = "better" if self.held_out.ratio < 1 else "worse"
            parts.append(
                f"left-out slices predicted {better} than by interpolation "
                f"({_percent(predicted.total_difference)} against "
                f"{_percent(interpolated.total_difference)})"
            )
        if self.strange:
            slices = ", ".join(f"{number} {word}" for number, word in self.strange.items())
            parts.append(f"slices that do not fit: {slices}")
        return f"{self.name}: {'; '.join(parts) or 'the image covers none of it'}."

    @property
    def strange(self) -> dict[int, SliceWord]:
        """The slices that do not fit, by their number in the file."""
        return {
            self.first_slice + number: word
            for number, word in enumerate(self.words)
            if word in STRANGE
        }

    @property
    def evidence(self) -> StackEvidence:
        """What the verdict is based on."""
        return StackEvidence(
            name=self.name,
            correlation=self.agreement.correlation,
            gain=self.agreement.numbers.total_gain,
            residual=self.residual.excess,
            words=self.words,
            held_out=self.held_out,
        )


@dataclass(frozen=True, eq=False)
class Assessment:
    """All that can be said of a reconstruction without a reference.

    Attributes:
        stacks: in the order of the views.
        sources: of the expected error.
        crossed: fraction of the image that at least two slice directions see.
        verdict: the word and its reasons.
    """

    stacks: tuple[StackAssessment, ...]
    sources: ErrorSources
    crossed: float
    verdict: Verdict

    @property
    def trust(self) -> float:
        """From 0 to 1, falling with the expected error."""
        return self.sources.trust

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        error = (
            f"an error of about {100 * self.sources.expected_error:.0f} % of the intensity range"
        )
        if not self.verdict.reasons:
            return (
                f"{self.verdict.word}: the scans agree and the image explains them; {error} is to "
                "be expected."
            )
        return f"{self.verdict.word}: {'; '.join(self.verdict.reasons)}; {error} is to be expected."

    def describe(self) -> list[str]:
        """A line about each stack, for people."""
        return [stack.describe() for stack in self.stacks]

    def fields(self) -> dict[str, Any]:
        """Everything as JSON has it, in snake case; relative to R where it is an intensity."""
        return {
            "verdict": self.verdict.word,
            "sentence": self.sentence,
            "reasons": list(self.verdict.reasons),
            "trust": _number(self.trust),
            "expected_error": _number(self.sources.expected_error),
            "disagreement": _number(self.sources.disagreement),
            "noise": _number(self.sources.noise),
            "hidden_detail": _number(self.sources.detail),
            "residual_beyond_noise": _number(self.sources.residual),
            "residual": _number(_mean(s.residual.numbers.total_difference for s in self.stacks)),
            "residual_correlation": _number(
                _mean(s.residual.numbers.total_correlation for s in self.stacks)
            ),
            "agreement": _number(_mean(s.agreement.numbers.total_correlation for s in self.stacks)),
            "crossed": _number(self.crossed),
            "slices": sum(len(stack.words) for stack in self.stacks),
            "slices_that_do_not_fit": sum(len(stack.strange) for stack in self.stacks),
            **self._held_out_fields(),
            "stacks": [_stack_fields(stack) for stack in self.stacks],
        }

    def _held_out_fields(self) -> dict[str, Any]:
        held_out = [stack.held_out for stack in self.stacks if stack.held_out]
        if not held_out:
            return {}
        return {
            "held_out_error": _number(
                _mean(each.reconstruction.total_difference for each in held_out)
            ),
            "held_out_error_of_interpolation": _number(
                _mean(each.interpolation.total_difference for each in held_out)
            ),
        }


def assess(
    views: Sequence[View],
    image: Volume,
    covered: Covered = None,
    alignment: HasProblems | None = None,
    held_out: Sequence[HoldOut] = (),
    first_slices: Sequence[int] = (),
) -> Assessment:
    """Say how far a reconstruction can be trusted.

    Args:
        views: aligned and of equal gain.
        image: their reconstruction.
        covered: where it holds anything; a `FitDomain.contains`, for example. None for where it is
            not zero, apart from holes.
        alignment: that put the views where they are, if it is known.
        held_out: what `hold_out` found, for each view.
        first_slices: number in its file of the first slice of each view; by default 0.

    Raises:
        InputError: the image covers no voxel of the scans.
    """
    if covered is None:
        covered = covered_voxels(image)
    peak = range_of(views)
    residuals = find_residuals(views, image, covered)
    if not any(residual.numbers.total_voxels for residual in residuals):
        names = " and ".join(view.name for view in views)
        raise InputError(f"{names}: the image covers nothing of them; give one of the same place.")
    crossed_stacks = cross_stacks(views, peak)
    counted = [counted_slices(view) for view in views]
    agreements = [stack.agreement(counted) for stack in crossed_stacks]
    words, crossings = judge_slices(views, [each.numbers for each in residuals], crossed_stacks)
    stacks = tuple(
        StackAssessment(
            Path(view.name).name,
            residual,
            agreement,
            crossings[number],
            hidden_detail(views, number, peak),
            tuple(words[number]),
            held_out[number] if held_out else None,
            first_slices[number] if first_slices else 0,
        )
        for number, (view, residual, agreement) in enumerate(
            zip(views, residuals, agreements, strict=True)
        )
    )
    sources = ErrorSources(
        disagreement=_mean(stack.agreement.excess for stack in stacks),
        noise=_mean(stack.residual.noise for stack in stacks),
        detail=_mean(stack.detail for stack in stacks),
        residual=_mean(stack.residual.excess for stack in stacks),
    )
    crossed = _crossed_part(views, image, covered)
    evidence = [stack.evidence for stack in stacks]
    problems = alignment.problems if alignment else {}
    verdict = judge(evidence, sources, crossed, problems)
    return Assessment(stacks, sources, crossed, verdict)


def covered_voxels(image: Volume) -> np.ndarray:
    """Voxels of an image that hold anything: all but the zeros around it; bool of its shape."""
    return ndimage.binary_fill_holes(image.array != 0)


def _crossed_part(views: Sequence[View], image: Volume, covered: Covered) -> float:
    """Fraction of the covered voxels of an image that two slice directions see."""
    crossed = count_directions(views, image.grid) > 1
    if callable(covered):
        blocks = [covered(centres) for _, centres in image.grid.blocks()]
        covered = np.concatenate(blocks).reshape(image.grid.shape)
    return float(crossed[covered].mean()) if covered is not None and covered.any() else 0.0


def _stack_fields(stack: StackAssessment) -> dict[str, Any]:
    """What is known of a stack as JSON has it."""
    residual, agreement = stack.residual.numbers, stack.agreement.numbers
    fields = {
        "scan": stack.name,
        "voxels": residual.total_voxels,
        "residual": _number(residual.total_difference),
        "noise": _number(stack.residual.noise),
        "residual_beyond_noise": _number(stack.residual.excess),
        "residual_correlation": _number(residual.total_correlation),
        "gain": _number(residual.total_gain),
        "crossing_points": agreement.total_voxels,
        "crossing_difference": _number(agreement.total_difference),
        "crossing_difference_beyond_noise": _number(stack.agreement.excess),
        "agreement": _number(agreement.total_correlation),
        "crossing_gain": _number(agreement.total_gain),
        "hidden_detail": _number(stack.detail),
        "slices": len(stack.words),
        "slices_that_do_not_fit": {str(number): word for number, word in stack.strange.items()},
    }
    if stack.held_out:
        predicted, interpolated = stack.held_out.reconstruction, stack.held_out.interpolation
        fields |= {
            "held_out_voxels": predicted.total_voxels,
            "held_out_error": _number(predicted.total_difference),
            "held_out_correlation": _number(predicted.total_correlation),
            "held_out_error_of_interpolation": _number(interpolated.total_difference),
            "held_out_correlation_of_interpolation": _number(interpolated.total_correlation),
        }
    return fields


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _mean(values: Iterable[float]) -> float:
    """The mean of the finite ones; NaN for none."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def _number(value: float) -> float | None:
    """A number as JSON has it: rounded, and null where there is none."""
    return round(float(value), 5) if np.isfinite(value) else None
