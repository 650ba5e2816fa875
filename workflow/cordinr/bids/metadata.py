"""Metadata of raw images: found by the BIDS inheritance principle, carried over where it holds."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..files import read_json
from .names import entities, sidecar_path, suffix_of

SHARED_KEYS = (
    *("Manufacturer", "ManufacturersModelName", "DeviceSerialNumber", "StationName"),
    *("SoftwareVersions", "MagneticFieldStrength", "InstitutionName", "InstitutionAddress"),
    *("InstitutionalDepartmentName", "ReceiveCoilName", "ReceiveCoilActiveElements", "Modality"),
    *("BodyPart", "BodyPartExamined", "SeriesDescription", "ProtocolName", "ScanningSequence"),
    *("SequenceVariant", "ScanOptions", "SequenceName", "PulseSequenceType"),
    *("PulseSequenceDetails", "NonlinearGradientCorrection", "RepetitionTime", "EchoTime"),
    *("EchoTrainLength", "InversionTime", "FlipAngle", "ImagingFrequency"),
    "ContrastBolusIngredient",
)
"""What describes scanner, sequence and contrast. What describes slices, matrix, encoding directions
or timing of the raw acquisition no longer holds for an image on another grid."""


def sidecars_of(root: Path, path: str) -> list[str]:
    """JSON files below `root` that apply to an image, from the root of the dataset down.

    Inheritance principle: https://bids-specification.readthedocs.io (common principles). A file
    applies if it has the image's suffix and no entity that the image has not.

    Args:
        root: of the dataset.
        path: of the image below it.
    """
    image = PurePosixPath(path)
    suffix, labels = suffix_of(path), entities(path).items()
    found = []
    for folder in [*reversed(image.parents)]:
        try:
            names = sorted(os.listdir(root / folder))
        except OSError:
            continue
        for name in names:
            applies = entities(name).items() <= labels and suffix_of(name) == suffix
            if name.endswith(".json") and applies:
                found.append(str(folder / name))
    return found


def read_inherited_metadata(root: Path, path: str) -> dict[str, Any]:
    """All metadata of an image of a dataset; files further down win.

    Raises:
        InputError: a sidecar is not a JSON object.
    """
    stated: dict[str, Any] = {}
    for sidecar in sidecars_of(root, path):
        stated |= read_json(root / sidecar)
    return stated


def metadata_of(image: Path) -> dict[str, Any]:
    """All metadata of an image, whether it stands in a BIDS dataset or alone.

    Raises:
        InputError: as `sidecars_read`.
    """
    stated: dict[str, Any] = {}
    for _, content in sidecars_read(image):
        stated |= content
    return stated


def sidecars_read(image: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The sidecars that apply to an image, each with its content; those further down win.

    Raises:
        InputError: a sidecar is not a JSON object or was never fetched, or the path is not
            named as an image.
    """
    found = [sidecar_path(image)]
    for folder in image.absolute().parents:
        if os.path.lexists(folder / "dataset_description.json"):
            inside = image.absolute().relative_to(folder).as_posix()
            found = [folder / path for path in sidecars_of(folder, inside)]
            break
    # not exists(): a link to annexed content that was never fetched is a sidecar all the same
    return [(path, read_json(path)) for path in found if os.path.lexists(path)]


def shared_metadata(stated: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several images say alike and what still holds for an image computed from them."""
    first = stated[0] if stated else {}
    return {
        key: first[key]
        for key in SHARED_KEYS
        if key in first and all(key in each and each[key] == first[key] for each in stated)
    }
