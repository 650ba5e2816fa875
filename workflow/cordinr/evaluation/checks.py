"""The table of what is known of reconstructions without a reference."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets.index import IndexRow
from ..datasets.layout import ResultPaths
from ..errors import InputError, first_line
from ..files import read_json
from .aggregate import problem_row, read_image_costs
from .failed import PAGE, Failed
from .table import IDENTITY_COLUMNS, PROBLEM_TEXT, RUN_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

CHECK_COLUMNS = {
    "verdict": "trusted, doubtful or do not use.",
    "trust": "From 0 to 1, falling with the expected error.",
    "expected_error": "Expected RMS error, relative to the intensity range of the scans.",
    "disagreement": "RMS difference between scans where their slices cross, beyond noise and "
    "relative to the range.",
    "noise": "Standard deviation of the noise of the scans, relative to the range.",
    "hidden_detail": "RMS of the detail that thick slices hide, relative to the range.",
    "residual": "RMS of measured minus predicted voxels of the scans, relative to the range.",
    "residual_beyond_noise": "What of it the noise does not explain.",
    "residual_correlation": "Correlation of measured and predicted voxels.",
    "agreement": "Correlation of scans where their slices cross.",
    "crossed": "Fraction of the image that slices of two directions see.",
    "slices": "Number of slices of all scans.",
    "slices_that_do_not_fit": "How many of them disagree with others, or are darker or brighter.",
}
"""Columns that `cordinr check` gives, each with its description."""


def check_dictionary() -> dict[str, dict[str, str]]:
    """Describe every column of the table, in the form of a BIDS sidecar of the TSV."""
    texts = IDENTITY_COLUMNS | CHECK_COLUMNS | RUN_COLUMNS | {"problem": PROBLEM_TEXT}
    texts["image"] = "File name of the reconstructions up to their desc label."
    texts["res"] = "BIDS res label of the rendering; empty where it is as fine as the scans."
    texts["version"] = "Version of cordinr that checked."
    return {name: {"Description": text} for name, text in texts.items()}


def collect_checks(
    images: Sequence[IndexRow],
    methods: Sequence[str],
    paths: ResultPaths,
    failed: Sequence[Failed] = (),
) -> list[dict[str, Any]]:
    """Read the checks of every image and method of a run, with what they cost.

    Args:
        images: rows of the index; those without an image give a row that says why.
        methods: `desc` labels.
        paths: where checks and costs are.
        failed: images that the run could not finish, which give such a row, too.

    Raises:
        InputError: a check is missing or damaged.
    """
    failures = {(each.folder, each.image): each for each in failed if each.lacks != PAGE}
    rows = []
    for image in images:
        failure = failures.get((image.folder, image.image))
        if failure or not image.path:
            rows.append(problem_row(image, failure.reason if failure else image.problem))
            continue
        for label in methods:
            row = _read_check(paths, image, label)
            costs = read_image_costs(paths, image, label, row["res"])
            rows.append(row | costs | {"site": image.site, "problem": None})
    return rows


def _read_check(paths: ResultPaths, image: IndexRow, label: str) -> dict[str, Any]:
    """Read what `cordinr check` wrote of a reconstruction."""
    path = paths.check(image, label)
    row = read_json(path)
    missing = [name for name in (*IDENTITY_COLUMNS, *CHECK_COLUMNS) if name not in row]
    if missing:
        raise InputError(f"{path}: has no {missing[0]}; let `cordinr check` write it.")
    return row


def tabulate_checks(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """Make a tidy table with the columns of `check_dictionary`, in the order of the rows."""
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=list(check_dictionary()))
    for name in ("fourier_dim", "seed", "slices", "slices_that_do_not_fit"):
        table[name] = table[name].astype("Int64")
    return table


def problems_of_checks(path: Path) -> list[tuple[str, str]]:
    """List the images of a table of checks that are not complete, each with the reason.

    Raises:
        InputError: the file is not such a table.
    """
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        return [(row["image"], row["problem"]) for row in rows if row["problem"] != "n/a"]
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: is not a table of checks ({first_line(error)}); let `cordinr "
            "aggregate-checks` write it."
        ) from error
