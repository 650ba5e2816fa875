"""Writing of the files at the root of a BIDS derivatives dataset."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InputError, brief
from ..files import write_json, write_text
from .names import describe_label
from .sidecars import BIDS_VERSION, TOOL_AUTHORS

TOOL_DESCRIPTION = (
    "Isotropic images from thick-slice views, by implicit neural representations and baselines"
)
"""Description of cordinr in `GeneratedBy` of the dataset."""


ALIGNED = "aligned"
"""`desc` label of acquired scans after `cordinr align`; a dataset has these or simulated views."""


def describe_dataset(
    folder: Path,
    *,
    source: Mapping[str, Any],
    link: str,
    labels: Sequence[str],
    suffix: str,
) -> None:
    """Write the files at the root of the derivatives dataset.

    Args:
        folder: root of the dataset.
        source: description of the raw dataset, as `datasets.source.describe_source` returns it.
        link: path of the dataset that `bids:raw:` stands for, relative to `folder`.
        labels: `desc` labels in use, without their key.
        suffix: BIDS suffix of the images, such as T2w.

    Raises:
        InputError: a label is not one of cordinr's, or the suffix is not one of BIDS.
    """
    if not re.fullmatch("[A-Za-z0-9]+", suffix):
        raise InputError(f"suffix {brief(suffix)}: is not a BIDS suffix; use letters and digits.")
    descriptions = {label: describe_label(label) for label in labels}
    name = source.get("Name", "a BIDS dataset")
    origin = {key: source[key] for key in ("URL", "DOI", "Version", "Commit") if key in source}
    authors = list(source.get("Authors", []))
    if len(authors) < 2:  # The BIDS validator warns about a single author.
        authors.append(TOOL_AUTHORS)
    tool = {"Name": "cordinr", "Version": __version__, "Description": TOOL_DESCRIPTION}
    content = {
        "Name": f"Super-resolved {suffix} of {name} by cordinr",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "License": source.get("License", "as the source dataset"),
        "Authors": authors,
        "GeneratedBy": [tool],
        "SourceDatasets": [origin],
        "DatasetLinks": {"raw": link},
    }
    write_json(folder / "dataset_description.json", content)
    write_json(folder / f"{suffix}.json", {"SkullStripped": False})
    rows = [f"desc-{label}\t{text}" for label, text in sorted(descriptions.items())]
    write_text(folder / "descriptions.tsv", "\n".join(["desc_id\tdescription", *rows]) + "\n")
    write_json(
        folder / "descriptions.json",
        {
            "Description": "Labels of the desc entity in this dataset.",
            "desc_id": {"Description": "Label of the desc entity, with its prefix."},
            "description": {"Description": "How images with that label were made."},
        },
    )
    write_text(folder / "README", _readme(name, descriptions, suffix))
    transforms = "*_xfm.txt\n" if ALIGNED in labels else ""
    write_text(folder / ".bidsignore", f"figures\n*.html\n{transforms}")


def _readme(name: str, descriptions: Mapping[str, str], suffix: str) -> str:
    """Return the text of the README of the dataset."""
    lines = [f"- `desc-{label}`: {text}" for label, text in sorted(descriptions.items())]
    made = [
        "Made by cordinr: thick-slice views of each image were simulated, and isotropic",
        "volumes reconstructed from the views alone. Every image has a JSON sidecar.",
    ]
    grid = ["lie on the grid of the raw image."]
    if ALIGNED in descriptions:
        made = [
            "Made by cordinr: the thick-slice scans of each subject and session were aligned, and",
            "isotropic volumes reconstructed from them. Every image has a JSON sidecar.",
        ]
        grid = [
            "are as fine as the finest of the scans. `_xfm.txt` beside an aligned scan is the",
            "transform, for ITK, that resamples the raw scan to where it really is.",
        ]
    return "\n".join(
        [
            f"# Super-resolved {suffix} images of {name}",
            "",
            *made,
            "",
            *lines,
            "",
            "`res-iso05` and the like are renderings at another voxel size; images without `res`",
            *grid,
            "",
        ]
    )
