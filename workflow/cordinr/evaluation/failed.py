"""The list of images that a run could not finish, as a file."""

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ..errors import InputError
from ..files import read_text, write_text

METRICS, FIGURES, PAGE = "metrics", "figures", "page"
"""Values of `Failed.lacks`: the first result that an image does not have.

An image with metrics has its place in the table and in all figures."""


@dataclass(frozen=True)
class Failed:
    """An image that a run could not finish.

    Attributes:
        folder, image: as in the index.
        lacks: METRICS, FIGURES or PAGE.
        reason: what the log of its job says, in one sentence.
    """

    folder: str
    image: str
    lacks: str
    reason: str


def save_failed(path: Path, images: Iterable[Failed]) -> None:
    """Write the list; a file that already says the same is left alone and keeps its time."""
    text = io.StringIO()
    names = [field.name for field in fields(Failed)]
    writer = csv.DictWriter(text, names, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(image) for image in images)
    if not path.exists() or path.read_bytes() != text.getvalue().encode(errors="backslashreplace"):
        write_text(path, text.getvalue())


def load_failed(path: Path | str) -> list[Failed]:
    """Read the list that `save_failed` wrote.

    Raises:
        InputError: the file is missing or is not such a list.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path, "TSV")), delimiter="\t"))
        images = [Failed(**row) for row in rows]
        if not all(isinstance(cell, str) for row in rows for cell in row.values()):
            raise ValueError("a row is too short")
    except (TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"{path}: is not a list of failed images ({error}); remove it and run again."
        ) from error
    return images
