"""Metadata of raw images by the BIDS inheritance principle, and what derived images share of it."""

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
"""Keys that describe the scanner, the sequence and the contrast. Keys that describe the slices, the
matrix, the encoding directions or the timing do not hold for an image on another grid."""


def sidecars_of(root: Path, path: str) -> list[str]:
    """List the sidecars in a dataset that apply to an image.

    By the inheritance principle (https://bids-specification.readthedocs.io, common principles) a
    JSON file applies if it lies in a folder above the image, has the suffix of the image, and has
    no entity that the image lacks.

    Args:
        root: root of the dataset.
        path: path of the image relative to `root`.

    Returns:
        Paths relative to `root`, from the root of the dataset down to the folder of the image.
    """
    image = PurePosixPath(path)
    suffix, labels = suffix_of(path), entities(path).items()
    sidecars = []
    for folder in [*reversed(image.parents)]:
        try:
            names = sorted(os.listdir(root / folder))
        except OSError:
            continue
        for name in names:
            applies = entities(name).items() <= labels and suffix_of(name) == suffix
            if name.endswith(".json") and applies:
                sidecars.append(str(folder / name))
    return sidecars


def read_inherited_metadata(root: Path, path: str) -> dict[str, Any]:
    """Read the metadata of an image in a dataset; the sidecar nearest to it takes precedence.

    Args:
        root: root of the dataset.
        path: path of the image relative to `root`.

    Raises:
        InputError: a sidecar cannot be read or is not a JSON object.
    """
    metadata: dict[str, Any] = {}
    for sidecar in sidecars_of(root, path):
        metadata |= read_json(root / sidecar)
    return metadata


def metadata_of(image: Path) -> dict[str, Any]:
    """Read the metadata of an image, which may lie in a BIDS dataset or elsewhere.

    Args:
        image: path of the image.

    Raises:
        InputError: as for `read_sidecars`.
    """
    metadata: dict[str, Any] = {}
    for _, content in read_sidecars(image):
        metadata |= content
    return metadata


def read_sidecars(image: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Read the sidecars that apply to an image.

    Args:
        image: path of the image, which may lie in a BIDS dataset or elsewhere.

    Returns:
        Path and content of each sidecar. In a dataset the sidecar nearest to the image comes last;
        its values take precedence.

    Raises:
        InputError: a sidecar is not a JSON object or was never fetched, or the name of the image
            does not end in .nii.gz or .nii.
    """
    sidecars = [sidecar_path(image)]
    for folder in image.absolute().parents:
        if os.path.lexists(folder / "dataset_description.json"):
            inside = image.absolute().relative_to(folder).as_posix()
            sidecars = [folder / path for path in sidecars_of(folder, inside)]
            break
    # Unlike exists(), lexists() is true for a link to annexed content that was never fetched:
    # read_json then reports the missing content.
    return [(path, read_json(path)) for path in sidecars if os.path.lexists(path)]


def shared_metadata(metadata: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Select the metadata that also hold for an image computed from several images.

    Args:
        metadata: metadata of each image.

    Returns:
        The values of `SHARED_KEYS` that all images have in common.
    """
    first = metadata[0] if metadata else {}
    return {
        key: first[key]
        for key in SHARED_KEYS
        if key in first and all(key in each and each[key] == first[key] for each in metadata)
    }
