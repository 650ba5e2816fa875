"""Where the file is that a BIDS URI names."""

from pathlib import Path

from ..errors import InputError
from ..files import read_json


def resolve_bids_uri(source: Path | str, image: Path | str) -> Path:
    """The file that a BIDS URI names; a path is kept as it is.

    Args:
        source: `bids:<name>:<path>`, `bids::<path>` or a path.
        image: a file of the dataset whose `DatasetLinks` tell where `<name>` is.

    Raises:
        InputError: `image` lies in no BIDS dataset, or its dataset does not link `<name>`.
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
