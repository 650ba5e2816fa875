"""What is known of one stack of an assessment."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .agreement import StackAgreement
from .hold_out import HoldOut
from .residuals import StackResidual
from .slice_numbers import SliceNumbers
from .slice_words import STRANGE, SliceWord
from .verdict import StackEvidence


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
        return {number: word for number, word in self._by_number().items() if word in STRANGE}

    @property
    def left_out(self) -> list[int]:
        """The slices that were left out, by their number in the file."""
        return [number for number, word in self._by_number().items() if word == "left out"]

    def _by_number(self) -> dict[int, SliceWord]:
        return dict(enumerate(self.words, self.first_slice))

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

    def fields(self) -> dict[str, Any]:
        """What is known of the stack as JSON has it."""
        residual, agreement = self.residual.numbers, self.agreement.numbers
        fields = {
            "scan": self.name,
            "voxels": residual.total_voxels,
            "residual": json_number(residual.total_difference),
            "noise": json_number(self.residual.noise),
            "residual_beyond_noise": json_number(self.residual.excess),
            "residual_correlation": json_number(residual.total_correlation),
            "gain": json_number(residual.total_gain),
            "crossing_points": agreement.total_voxels,
            "crossing_difference": json_number(agreement.total_difference),
            "crossing_difference_beyond_noise": json_number(self.agreement.excess),
            "agreement": json_number(agreement.total_correlation),
            "crossing_gain": json_number(agreement.total_gain),
            "hidden_detail": json_number(self.detail),
            "slices": len(self.words),
            "slices_that_do_not_fit": {str(number): word for number, word in self.strange.items()},
            "slices_left_out": self.left_out,
        }
        if self.held_out:
            predicted, interpolated = self.held_out.reconstruction, self.held_out.interpolation
            fields |= {
                "held_out_voxels": predicted.total_voxels,
                "held_out_error": json_number(predicted.total_difference),
                "held_out_correlation": json_number(predicted.total_correlation),
                "held_out_error_of_interpolation": json_number(interpolated.total_difference),
                "held_out_correlation_of_interpolation": json_number(
                    interpolated.total_correlation
                ),
            }
        return fields


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def finite_mean(values: Iterable[float]) -> float:
    """The mean of the finite ones; NaN for none."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def json_number(value: float) -> float | None:
    """A number as JSON has it: rounded, and null where there is none."""
    return round(float(value), 5) if np.isfinite(value) else None
