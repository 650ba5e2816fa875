"""BIDS derivatives: sidecars, provenance, and the files at the root of the dataset."""

import platform
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__
from ..classical.reconstruct import METHODS
from ..errors import InputError, brief
from ..files import write_json, write_text
from .names import VARIANT, entities, resolution, variant_setting

BIDS_VERSION = "1.10.0"
VARIANT_UNITS = {"sigma": " cycles/mm", "seed": ""}
TOOL_AUTHORS = "The cordinr authors"
TOOL = "Isotropic images from thick-slice views, by implicit neural representations and baselines"


def image_sidecar(
    image: Path | str,
    sources: Sequence[Path | str],
    description: str,
    command: str | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """The sidecar of a derived image.

    Args:
        image: where it is written; tells whether a source lies in the same dataset.
        sources: what it was computed from; BIDS URIs are kept as they are.
        description: one sentence.
        command: that makes the image anew from within its dataset; None for the one that runs.
        fields: further keys, in CamelCase as BIDS has them.
    """
    labels = entities(image)
    content = {
        "Description": description,
        "Sources": [bids_uri(source, image) for source in sources],
        "SkullStripped": False,
    }
    if "res" in labels:
        content["Resolution"] = resolution(labels["res"])
    made = {"Software": software_versions(), "Command": command or command_line()}
    return content | fields | made


def bids_uri(source: Path | str, image: Path | str) -> str:
    """A source as BIDS URI where it lies in the dataset of `image`, else its path as given."""
    if str(source).startswith("bids:"):
        return str(source)
    root, inside = split_dataset(source)
    if inside and root == split_dataset(image)[0]:
        return f"bids::{inside}"
    return str(source)


def split_dataset(path: Path | str) -> tuple[Path | None, str]:
    """The root of a BIDS dataset and the path in it, told by the first `sub-` folder of a path."""
    parts = Path(path).parts
    for k, part in enumerate(parts[:-1]):
        if part.startswith("sub-"):
            return Path(*parts[:k]).resolve(), "/".join(parts[k:])
    return None, ""


def software_versions() -> dict[str, str]:
    """Versions of cordinr, Python and the numerical packages, without importing them."""
    versions = {"cordinr": __version__, "python": platform.python_version()}
    for package in ("torch", "numpy", "scipy", "nibabel"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def command_line() -> str:
    """The command that is running, as someone would type it."""
    return shlex.join(["cordinr", *sys.argv[1:]])


def describe_label(label: str) -> str:
    """What a `desc` label means.

    Raises:
        InputError: it is not one of cordinr's.
    """
    if label == "simulated":
        return "Thick-slice view simulated from the raw image."
    if label in METHODS:
        return METHODS[label]
    found = re.fullmatch(f"inrF([0-9]+)({VARIANT})?(spread)?", label)
    if not found:
        raise InputError(
            f"desc label '{label}' is not known; use simulated, inrF<N>, inrF<N>spread or "
            f"{METHODS}."
        )
    inr = label.removesuffix("spread")
    if inr != label:
        return f"Standard deviation over the ensemble of desc-{inr}: how uncertain it is."
    other = variant_setting(label)
    detail = ", {} {:g}{}".format(*other, VARIANT_UNITS[other[0]]) if other else ""
    return (
        f"Implicit neural representation fitted to the views, Fourier dimension {found[1]}{detail}."
    )


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
        source: of the raw dataset, as `dataset.describe_source` has it.
        link: where `bids:raw:` points to, relative to `folder`.
        labels: the `desc` labels in use, without the prefix.
        suffix: of the images, such as T2w.

    Raises:
        InputError: a label is not one of cordinr's, or the suffix is none.
    """
    if not re.fullmatch("[A-Za-z0-9]+", suffix):
        raise InputError(f"suffix {brief(suffix)}: is no BIDS suffix; use letters and digits.")
    descriptions = {label: describe_label(label) for label in labels}
    name = source.get("Name", "a BIDS dataset")
    origin = {key: source[key] for key in ("URL", "DOI", "Version", "Commit") if key in source}
    authors = list(source.get("Authors", []))
    if len(authors) < 2:  # which the BIDS validator takes for a mistake
        authors.append(TOOL_AUTHORS)
    tool = {"Name": "cordinr", "Version": __version__, "Description": TOOL}
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
    write_text(folder / ".bidsignore", "figures\n*.html\n")


def _readme(name: str, descriptions: Mapping[str, str], suffix: str) -> str:
    lines = [f"- `desc-{label}`: {text}" for label, text in sorted(descriptions.items())]
    return "\n".join(
        [
            f"# Super-resolved {suffix} images of {name}",
            "",
            "Made by cordinr: thick-slice views of each image were simulated, and isotropic",
            "volumes reconstructed from the views alone. Every image has a JSON sidecar.",
            "",
            *lines,
            "",
            "`res-iso05` and the like are renderings at another voxel size; images without `res`",
            "lie on the grid of the raw image.",
            "",
        ]
    )
