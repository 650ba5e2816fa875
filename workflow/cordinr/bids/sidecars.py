"""JSON sidecars of derived images."""

import platform
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__
from .names import entities, resolution
from .uris import bids_uri

BIDS_VERSION = "1.10.0"


TOOL_AUTHORS = "The cordinr authors"


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
