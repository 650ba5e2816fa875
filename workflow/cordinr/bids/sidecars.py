"""JSON sidecars of derived images."""

import platform
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__
from ..files import read_json
from .names import companion_path, entities, resolution, sidecar_path
from .uris import bids_uri

BIDS_VERSION = "1.10.0"
"""Version of the BIDS specification that the written datasets follow."""

TOOL_AUTHORS = "The cordinr authors"
"""Author whom cordinr adds to the description of a dataset that it writes."""


def image_sidecar(
    image: Path | str,
    sources: Sequence[Path | str],
    description: str,
    command: str | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Build the content of the sidecar of a derived image.

    Args:
        image: path of the image; sources in the same dataset are named relative to that dataset.
        sources: paths or BIDS URIs of the files that the image was computed from.
        description: one sentence that says what the image is.
        command: command that computes the image again when it is run within its dataset; None for
            the command that is running.
        fields: further keys and values; the keys are in CamelCase, as BIDS requires.
    """
    labels = entities(image)
    content = {
        "Description": description,
        "Sources": [bids_uri(source, image) for source in sources],
        "SkullStripped": False,
    }
    if "res" in labels:
        content["Resolution"] = resolution(labels["res"])
    origin = {"Software": software_versions(), "Command": command or command_line()}
    return content | fields | origin


def uncertainty_map(image: Path) -> Path | None:
    """Return the path of the map that says how uncertain an image is, by the image's sidecar.

    Of what a prior had a part in it is the standard error (`stderr`), of other ensembles of INRs
    the standard deviation over the members (`spread`). A map of older settings is not taken.

    Args:
        image: path of a reconstruction.

    Returns:
        The path, or None where there is no such map.

    Raises:
        InputError: the sidecar is not readable JSON.
    """
    sidecar = sidecar_path(image)
    content = read_json(sidecar) if sidecar.exists() else {}
    if "PriorLearners" in content:
        found = companion_path(image, "stderr")
    elif content.get("Members", 1) > 1:
        found = companion_path(image, "spread")
    else:
        return None
    return found if found.is_file() else None


def software_versions() -> dict[str, str]:
    """Return the versions of cordinr, Python and the numerical packages without importing them."""
    versions = {"cordinr": __version__, "python": platform.python_version()}
    for package in ("torch", "numpy", "scipy", "nibabel"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def command_line() -> str:
    """Return the running command as it would be typed in a shell."""
    return shlex.join(["cordinr", *sys.argv[1:]])
