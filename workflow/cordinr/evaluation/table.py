"""The table of all metrics: one row per image, method, Fourier dimension and voxel size."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bids.names import variant_setting
from ..errors import InputError, brief, first_line, is_out_of_memory
from ..files import atomic, check_file, read_json
from .regions import REGIONS

if TYPE_CHECKING:
    import pandas as pd

IDENTITY_COLUMNS = {
    "subject": "Subject label, without prefix.",
    "session": "Session label, without prefix; empty where the dataset has no sessions.",
    "image": "File name of the raw image up to its suffix.",
    "method": "inr, cubic, tikhonov, tv or learned.",
    "fourier_dim": "Number of Fourier frequencies of the INR; empty for the other methods.",
    "desc": "BIDS desc label of the reconstruction.",
    "sigma": "Spread of the INR's Fourier frequencies, cycles/mm; empty for the other methods.",
    "seed": "Of the INR's fit; empty for the other methods.",
    "res": "BIDS res label of the rendering; empty on the grid of the raw image.",
    "voxel_size": "Geometric mean voxel size, mm.",
}
"""Columns that say what a row is about, each with its description."""

TEXT_COLUMNS = {
    "subject",
    "session",
    "site",
    "image",
    "method",
    "desc",
    "res",
    "device",
    "version",
    "problem",
}
"""Columns that hold text; all others hold numbers."""

RUN_COLUMNS = {
    "fit_seconds": "Seconds to fit the INR, or to compute the baseline.",
    "render_seconds": "Seconds to render the INR on this grid and write the file.",
    "device": "Where the fit ran.",
    "peak_memory_mb": "Peak resident memory of the fit's or the baseline's process, MiB.",
    "version": "Version of cordinr that evaluated.",
    "site": "Institution of the subject by the dataset's participants.tsv, where it names one.",
}
"""Columns that say what a row cost and where it comes from, each with its description."""

PROBLEM_TEXT = "Why the image is not complete, in a row without method; empty elsewhere."
"""Description of the column `problem`."""


def column_dictionary() -> dict[str, dict[str, str]]:
    """Describe every column of the table, in the form of a BIDS sidecar of the TSV."""
    metrics = {}
    for label, region in REGIONS.items():
        voxels = region.description
        metrics[f"psnr_{label}"] = (
            f"PSNR in dB over {voxels}; peak: 99.9th percentile of reference."
        )
        metrics[f"ssim_{label}"] = f"Mean SSIM (7-voxel window, same peak) over {voxels}."
        metrics[f"nrmse_{label}"] = f"RMS error over RMS of the reference, over {voxels}."
    metrics["psnr_original"] = "PSNR by the original study's protocol; for comparison with it only."
    metrics["ssim_original"] = "SSIM by the original study's protocol; for comparison with it only."
    texts = IDENTITY_COLUMNS | metrics | RUN_COLUMNS | {"problem": PROBLEM_TEXT}
    return {name: {"Description": text} for name, text in texts.items()}


def read_metrics(path: Path | str) -> dict[str, Any]:
    """Read a row of the table from the file that `cordinr evaluate` wrote.

    Raises:
        InputError: the file is missing or damaged, or does not hold such a row.
    """
    row = read_json(path)
    for name in column_dictionary():
        value = row.get(name)
        types = str if name in TEXT_COLUMNS else int | float | None
        if not isinstance(value, types) and (name in IDENTITY_COLUMNS or name in row):
            raise InputError(f"{path}: {name} is {brief(value)}; let `cordinr evaluate` write it.")
    for name, lowest in (("fourier_dim", 1), ("seed", 0)):
        value = row.get(name)
        if value is not None and (value != value // 1 or value < lowest):
            raise InputError(f"{path}: {name} is {value}; let `cordinr evaluate` write it.")
    return row


def tabulate(rows: Iterable[Mapping[str, Any]]) -> "pd.DataFrame":
    """Make a tidy, sorted table with the columns of `column_dictionary`.

    Args:
        rows: the contents of metrics files, with the columns of the costs where they are known.
    """
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=list(column_dictionary()))
    for name in ("fourier_dim", "seed"):
        table[name] = table[name].astype("Int64")
    order = ["subject", "session", "image", "method", "fourier_dim", "desc", "res"]
    return table.sort_values(order, na_position="first").reset_index(drop=True)


def save_table(path: Path | str, table: "pd.DataFrame") -> None:
    """Write a TSV; empty cells are `n/a`, as BIDS has it."""
    form = {"sep": "\t", "index": False, "na_rep": "n/a", "float_format": "%.6g"}
    with atomic(path) as partial:
        table.to_csv(partial, errors="backslashreplace", **form)


def load_table(path: Path | str) -> "pd.DataFrame":
    """Read a table that `save_table` wrote.

    Raises:
        InputError: the file is missing or is not such a table.
    """
    import pandas as pd

    check_file(path)
    text = dict.fromkeys(sorted(TEXT_COLUMNS - {"method", "device", "version"}), "string")
    numeric = [name for name in column_dictionary() if name not in TEXT_COLUMNS]
    try:
        table = pd.read_csv(path, sep="\t", na_values="n/a", keep_default_na=False, dtype=text)
        missing = [name for name in column_dictionary() if name not in table]
        if missing:
            raise ValueError(f"it has no column {missing[0]}")
        table = table.fillna(dict.fromkeys(text, ""))[list(column_dictionary())]
        table[numeric] = table[numeric].apply(pd.to_numeric)
    except (OSError, ValueError, TypeError) as error:
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"{path}: is not a table of metrics ({first_line(error)}); let `cordinr aggregate` "
            "write it."
        ) from error
    return table


def problems_of(table: "pd.DataFrame") -> dict[str, str]:
    """List the images that are not complete, each with the reason, in the order of the table."""
    rows = table[table["problem"].ne("")]
    return dict(zip(rows["image"], rows["problem"], strict=True))


def without_variants(table: "pd.DataFrame") -> "pd.DataFrame":
    """Select the rows without variants: fitted with the settings of the run, on every grid."""
    return table[table["desc"].map(variant_setting).isna()]


def on_raw_grid(table: "pd.DataFrame") -> "pd.DataFrame":
    """Select the rows of reconstructions on the grid of the raw image."""
    return table[table["res"].eq("") & table["problem"].eq("")]
