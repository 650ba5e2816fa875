"""The scans of a page of acquired scans: what they are, and where they were found to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..acquisition.scan_words import describe_slices
from ..acquisition.view import View


@dataclass(frozen=True)
class StackRow:
    """A scan in the table of the page.

    Attributes:
        name: of its file.
        slices: what they are, in words.
        moved: how the scan was found to be displaced, in words.
        gain: by which its intensities were divided; None where it is not known.
        correlations: with the scans that cross it, by the headers and aligned; None if not known.
        problem: why it could not be aligned; empty for none.
        check: what the check of the first reconstruction says of it.
    """

    name: str
    slices: str
    moved: str
    gain: float | None
    correlations: tuple[float | None, float | None]
    problem: str
    check: Mapping[str, Any]

    @property
    def unfit(self) -> str:
        """The slices that do not fit, and those that were left out, in words."""
        strange = self.check.get("slices_that_do_not_fit") or {}
        words = [f"{number} {word}" for number, word in strange.items()]
        words += [f"{number} left out" for number in self.check.get("slices_left_out") or []]
        return ", ".join(words)


def list_stacks(
    views: Sequence[View], sidecars: Sequence[Mapping[str, Any]], check: Mapping[str, Any]
) -> list[StackRow]:
    """List the scans for the table of a page.

    Args:
        views: the scans.
        sidecars: of them, with what `align` found.
        check: of a reconstruction of them.
    """
    checks = check.get("stacks") or [{}] * len(views)
    return [
        StackRow(
            name=Path(view.name).name,
            slices=describe_slices(view),
            moved=_describe_movement(sidecar),
            gain=sidecar.get("AlignmentGain"),
            correlations=(
                sidecar.get("AlignmentCorrelationBefore"),
                sidecar.get("AlignmentCorrelation"),
            ),
            problem=str(sidecar.get("AlignmentProblem") or ""),
            check=each,
        )
        for view, sidecar, each in zip(views, sidecars, checks, strict=True)
    ]


def short_names(names: Sequence[str]) -> list[str]:
    """Shorten file names to what tells them apart: `sub-01_acq-sag_T2w.nii.gz` becomes `sag`."""
    stems = [name.partition(".")[0] for name in names]
    parts = [stem.split("_") for stem in stems]
    shared = set(parts[0]).intersection(*parts)
    short = [
        " ".join(part.rpartition("-")[2] for part in each if part not in shared) for each in parts
    ]
    return short if len(set(short)) == len(names) and all(short) else stems


def _describe_movement(sidecar: Mapping[str, Any]) -> str:
    """The displacement that `align` found, in words; empty where there is none on record."""
    shift, turn = (sidecar.get(f"Alignment{what}") for what in ("Translation", "RotationVector"))
    if not (isinstance(shift, list) and isinstance(turn, list)):
        return ""
    mm, degrees = np.linalg.norm(shift), np.degrees(np.linalg.norm(turn))
    return f"{mm:.1f} mm, {degrees:.1f}°" if mm or degrees else "stays"
