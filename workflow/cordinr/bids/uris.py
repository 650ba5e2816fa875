"""Conversion between BIDS URIs and paths."""

from pathlib import Path

from ..errors import InputError
from ..files import read_json


def resolve_bids_uri(source: Path | str, image: Path | str) -> Path:
    """Return the path of the file that a BIDS URI names; a path is returned unchanged.

    Args:
        source: `bids:<name>:<path>`, `bids::<path>` or a path.
        image: path of a file in the dataset whose `DatasetLinks` give the location of `<name>`.

    Raises:
        InputError: `image` is not in a BIDS dataset, or its dataset has no link `<name>`.
    """
    if not str(source).startswith("bids:"):
        return Path(source)
    name, _, inside = str(source).removeprefix("bids:").partition(":")
    root, _ = split_dataset(image)
    if root is None:
        raise InputError(f"{image}: lies in no BIDS dataset that could tell where {source} is.")
    if not name:
        return root / inside
    description = root / "dataset_description.json"
    links = read_json(description).get("DatasetLinks", {})
    if name not in links:
        raise InputError(f"{description}: its DatasetLinks do not name '{name}' of {source}.")
    return root / links[name] / inside


def bids_uri(source: Path | str, image: Path | str) -> str:
    """Return the BIDS URI of a source in the dataset of an image.

    Args:
        source: path or BIDS URI of the source.
        image: path of the image.

    Returns:
        The BIDS URI, or the path as given if the source is not in that dataset.
    """
    if str(source).startswith("bids:"):
        return str(source)
    root, inside = split_dataset(source)
    if inside and root == split_dataset(image)[0]:
        return f"bids::{inside}"
    return str(source)


def split_dataset(path: Path | str) -> tuple[Path | None, str]:
    """Split a path at its first `sub-` folder into the root of a BIDS dataset and the rest.

    Args:
        path: path of a file.

    Returns:
        The absolute path of the root and the path relative to it, or None and an empty text if no
        folder of the path is that of a subject.
    """
    parts = Path(path).parts
    for k, part in enumerate(parts[:-1]):
        if part.startswith("sub-"):
            return Path(*parts[:k]).resolve(), "/".join(parts[k:])
    return None, ""
