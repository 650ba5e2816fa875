"""The table of all slices: one row for each slice of each stack."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..files import write_text
from .assess import Assessment

COLUMNS = {
    "image": "File name of the reconstruction.",
    "scan": "File name of the stack.",
    "slice": "Number of the slice in the file, from 0.",
    "voxels": "Voxels of the body that the reconstruction covers.",
    "residual": "RMS of measured minus predicted voxels, relative to the intensity range.",
    "correlation": "Of measured and predicted voxels.",
    "gain": "RMS of the measured voxels over that of the predicted ones.",
    "crossing_points": "Points on lines where slices of other directions that fit cross this one.",
    "crossing_difference": "RMS difference on these lines, relative to the intensity range.",
    "crossing_correlation": "Correlation on these lines.",
    "crossing_gain": "RMS of this slice over that of the others on these lines.",
    "verdict": "ok, dark, bright, disagrees, left out, or unknown where nothing covers the slice.",
}
"""Columns of the table, each with its meaning."""


def write_slices(path: Path, assessments: Sequence[tuple[str, Assessment]]) -> None:
    """Write the table as TSV; empty cells are `n/a`, as BIDS has it.

    Args:
        path: of the file.
        assessments: of reconstructions, each with the name of its image.

    Raises:
        InputError: the file cannot be written.
    """
    lines = ["\t".join(COLUMNS)]
    for image, assessment in assessments:
        lines += ["\t".join(map(_cell, (image, *row))) for row in list_slices(assessment)]
    write_text(path, "\n".join(lines) + "\n")


def list_slices(assessment: Assessment) -> Iterator[tuple[str | int | float, ...]]:
    """Yield what is known of each slice, in the order of `COLUMNS` after the image."""
    for stack in assessment.stacks:
        residual, crossing = stack.residual.numbers, stack.crossing
        for k, word in enumerate(stack.words):
            numbers = (
                (int(each.voxels[k]), each.difference[k], each.correlation[k], each.gain[k])
                for each in (residual, crossing)
            )
            cells = [value for four in numbers for value in four]
            yield (stack.name, stack.first_slice + k, *cells, word)


def _cell(value: str | int | float) -> str:
    if isinstance(value, float):
        return f"{value:.5g}" if math.isfinite(value) else "n/a"
    return str(value).replace("\t", " ").replace("\n", " ")
