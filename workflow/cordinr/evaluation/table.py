"""The table of all figures: one row per image, method, Fourier dimension and voxel size."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bids.names import variant_setting
from ..errors import InputError, brief, first_line, is_out_of_memory
from ..files import atomic, check_file, read_json
from .metrics import REGIONS

if TYPE_CHECKING:
    import pandas as pd

REGION_TEXT = {
    "fov": "every voxel that all views cover",
    "fg": "the foreground of it: body, not air",
    "cord": "the dataset's spinal cord segmentation within it",
}


IDENTITY_COLUMNS = {
    "subject": "Subject label, without prefix.",
    "session": "Session label, without prefix; empty where the dataset has no sessions.",
    "image": "File name of the raw image up to its suffix.",
    "method": "inr, cubic, tikhonov or tv.",
    "fourier_dim": "Number of Fourier frequencies of the INR; empty for the other methods.",
    "desc": "BIDS desc label of the reconstruction.",
    "sigma": "Spread of the INR's Fourier frequencies, cycles/mm; empty for the other methods.",
    "seed": "Of the INR's fit; empty for the other methods.",
    "res": "BIDS res label of the rendering; empty on the grid of the raw image.",
    "voxel_size": "Geometric mean voxel size, mm.",
}


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


RUN_COLUMNS = {
    "fit_seconds": "Seconds to fit the INR, or to compute the baseline.",
    "render_seconds": "Seconds to render the INR on this grid and write the file.",
    "device": "Where the fit ran.",
    "peak_memory_mb": "Peak resident memory of the fit's or the baseline's process, MiB.",
    "version": "Version of cordinr that evaluated.",
    "site": "Institution of the subject by the dataset's participants.tsv, where it names one.",
}


PROBLEM_TEXT = "Why the image is not complete, in a row without method; empty elsewhere."


def column_dictionary() -> dict[str, dict[str, str]]:
    """Every column of the table and what it means, as a BIDS sidecar of the TSV has it."""
    figures = {}
    for region in REGIONS:
        where = REGION_TEXT[region]
        figures[f"psnr_{region}"] = (
            f"PSNR in dB over {where}; peak: 99.9th percentile of reference."
        )
        figures[f"ssim_{region}"] = f"Mean SSIM (7-voxel window, same peak) over {where}."
        figures[f"nrmse_{region}"] = f"RMS error over RMS of the reference, over {where}."
    figures["psnr_original"] = "PSNR by the original study's protocol; for comparison with it only."
    figures["ssim_original"] = "SSIM by the original study's protocol; for comparison with it only."
    texts = IDENTITY_COLUMNS | figures | RUN_COLUMNS | {"problem": PROBLEM_TEXT}
    return {name: {"Description": text} for name, text in texts.items()}


def read_metrics(path: Path | str) -> dict[str, Any]:
    """A row of the table, from the file that `cordinr evaluate` wrote.

    Raises:
        InputError: as `read_json`, or it is not such a row.
    """
    row = read_json(path)
    for name in column_dictionary():
        value = row.get(name)
        kinds = str if name in TEXT_COLUMNS else int | float | None
        if not isinstance(value, kinds) and (name in IDENTITY_COLUMNS or name in row):
            raise InputError(f"{path}: {name} is {brief(value)}; let `cordinr evaluate` write it.")
    for name, least in (("fourier_dim", 1), ("seed", 0)):
        value = row.get(name)
        if value is not None and (value != value // 1 or value < least):
            raise InputError(f"{path}: {name} is {value}; let `cordinr evaluate` write it.")
    return row


def tabulate(rows: Iterable[Mapping[str, Any]]) -> "pd.DataFrame":
    """Metrics as a tidy table with the columns of `column_dictionary`, sorted.

    Args:
        rows: the contents of metrics files, with cost columns merged in where known.
    """
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=list(column_dictionary()))
    for name in ("fourier_dim", "seed"):
        table[name] = table[name].astype("Int64")
    order = ["subject", "session", "image", "method", "fourier_dim", "desc", "res"]
    return table.sort_values(order, na_position="first").reset_index(drop=True)


def save_table(path: Path | str, table: "pd.DataFrame") -> None:
    """Write a TSV; empty cells are `n/a`, as BIDS has it."""
    style = {"sep": "\t", "index": False, "na_rep": "n/a", "float_format": "%.6g"}
    with atomic(path) as partial:
        table.to_csv(partial, errors="backslashreplace", **style)


def load_table(path: Path | str) -> "pd.DataFrame":
    """Read a table that `save_table` wrote.

    Raises:
        InputError: the file is missing or is no such table.
    """
    import pandas as pd

    check_file(path)
    text = dict.fromkeys(sorted(TEXT_COLUMNS - {"method", "device", "version"}), "string")
    figures = [name for name in column_dictionary() if name not in TEXT_COLUMNS]
    try:
        table = pd.read_csv(path, sep="\t", na_values="n/a", keep_default_na=False, dtype=text)
        missing = [name for name in column_dictionary() if name not in table]
        if missing:
            raise ValueError(f"it has no column {missing[0]}")
        table = table.fillna(dict.fromkeys(text, ""))[list(column_dictionary())]
        table[figures] = table[figures].apply(pd.to_numeric)
    except (OSError, ValueError, TypeError) as error:
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"{path}: is not a table of metrics ({first_line(error)}); let `cordinr aggregate` "
            "write it."
        ) from error
    return table


def problems_of(table: "pd.DataFrame") -> dict[str, str]:
    """The images that are not complete, each with the reason, in the order of the table."""
    rows = table[table["problem"].ne("")]
    return dict(zip(rows["image"], rows["problem"], strict=True))


def without_variants(table: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of what is fitted with the settings of the run, on every grid."""
    return table[table["desc"].map(variant_setting).isna()]


def on_raw_grid(table: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of reconstructions on the grid of the raw image."""
    return table[table["res"].eq("") & table["problem"].eq("")]
