"""All that can be said of a reconstruction without a reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy import ndimage

from ..acquisition.overlap import count_directions
from ..acquisition.view import View
from ..errors import InputError
from ..imaging.volume import Volume
from .agreement import cross_stacks
from .detail import hidden_detail
from .expected_error import ErrorSources
from .hold_out import HoldOut
from .prediction import Covered
from .residuals import find_residuals, range_of
from .slice_numbers import counted_slices
from .slice_words import judge_slices
from .stack_assessment import StackAssessment, finite_mean, json_number
from .verdict import Verdict, judge


class HasProblems(Protocol):
    """An alignment, or what the sidecars of the scans say of one."""

    @property
    def problems(self) -> Mapping[int, str]:
        """Why a stack could not be aligned, by its number."""


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
            "trust": json_number(self.trust),
            "expected_error": json_number(self.sources.expected_error),
            "disagreement": json_number(self.sources.disagreement),
            "noise": json_number(self.sources.noise),
            "hidden_detail": json_number(self.sources.detail),
            "residual_beyond_noise": json_number(self.sources.residual),
            "residual": json_number(
                finite_mean(s.residual.numbers.total_difference for s in self.stacks)
            ),
            "residual_correlation": json_number(
                finite_mean(s.residual.numbers.total_correlation for s in self.stacks)
            ),
            "agreement": json_number(
                finite_mean(s.agreement.numbers.total_correlation for s in self.stacks)
            ),
            "crossed": json_number(self.crossed),
            "slices": sum(len(stack.words) for stack in self.stacks),
            "slices_that_do_not_fit": sum(len(stack.strange) for stack in self.stacks),
            **self._held_out_fields(),
            "stacks": [stack.fields() for stack in self.stacks],
        }

    def _held_out_fields(self) -> dict[str, Any]:
        held_out = [stack.held_out for stack in self.stacks if stack.held_out]
        if not held_out:
            return {}
        return {
            "held_out_error": json_number(
                finite_mean(each.reconstruction.total_difference for each in held_out)
            ),
            "held_out_error_of_interpolation": json_number(
                finite_mean(each.interpolation.total_difference for each in held_out)
            ),
        }


def assess(
    views: Sequence[View],
    image: Volume,
    covered: Covered = None,
    alignment: HasProblems | None = None,
    held_out: Sequence[HoldOut] = (),
    first_slices: Sequence[int] = (),
    directions: np.ndarray | None = None,
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
        directions: how many slice directions see each voxel of the image, if that is known.

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
        disagreement=finite_mean(stack.agreement.excess for stack in stacks),
        noise=finite_mean(stack.residual.noise for stack in stacks),
        detail=finite_mean(stack.detail for stack in stacks),
        residual=finite_mean(stack.residual.excess for stack in stacks),
    )
    if directions is None:
        directions = count_directions(views, image.grid)
    crossed = _crossed_part(directions > 1, image, covered)
    evidence = [stack.evidence for stack in stacks]
    problems = alignment.problems if alignment else {}
    verdict = judge(evidence, sources, crossed, problems)
    return Assessment(stacks, sources, crossed, verdict)


def covered_voxels(image: Volume) -> np.ndarray:
    """Voxels of an image that hold anything: all but the zeros around it; bool of its shape."""
    return ndimage.binary_fill_holes(image.array != 0)


def _crossed_part(crossed: np.ndarray, image: Volume, covered: Covered) -> float:
    """Fraction of the covered voxels of an image that two slice directions see."""
    if callable(covered):
        blocks = [covered(centres) for _, centres in image.grid.blocks()]
        covered = np.concatenate(blocks).reshape(image.grid.shape)
    return float(crossed[covered].mean()) if covered is not None and covered.any() else 0.0
