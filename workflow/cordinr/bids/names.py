"""BIDS file names: entities, suffixes, and the `res` and `desc` labels of derived images."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..methods import BASELINES, LEARNED

VARIANT_PATTERN = "(sigma|seed)[0-9]+"
"""Regular expression of the part of a `desc` label that names a sigma or seed of its own."""

UNCERTAINTY_KINDS = ("stderr", "spread")
"""Kinds of maps that say how uncertain an image is: its standard error, and the standard deviation
over the members of an ensemble."""

VARIANT_UNITS = {"sigma": " cycles/mm", "seed": ""}
"""Unit of each setting that a `desc` label can name, with the space that separates it."""


def sidecar_path(image: Path | str) -> Path:
    """Return the path of the JSON sidecar beside an image.

    Args:
        image: path of the image.

    Raises:
        InputError: the name does not end in .nii.gz or .nii.
    """
    name = str(image)
    for extension in (".nii.gz", ".nii"):
        if name.endswith(extension):
            return Path(name.removesuffix(extension) + ".json")
    raise InputError(f"{image}: is not named .nii.gz or .nii; choose such a name.")


def transform_path(image: Path | str) -> Path:
    """Return the path of the transform beside an aligned scan, for ITK: `..._xfm.txt`.

    Args:
        image: path of the scan.

    Raises:
        InputError: as for `sidecar_path`.
    """
    sidecar = sidecar_path(image)
    return sidecar.with_name(f"{sidecar.stem}_xfm.txt")


def companion_path(image: Path | str, kind: str) -> Path:
    """Return the path of a map that belongs to an image: `desc-X` becomes `desc-X` and its kind.

    Args:
        image: path of the image.
        kind: what the map shows, such as "spread" for the uncertainty of the image.
    """
    path = Path(image)
    stem, dot, extension = path.name.partition(".")
    label = entities(path).get("desc")
    if label:
        stem = stem.replace(f"desc-{label}", f"desc-{label}{kind}")
    elif "_" in stem:
        stem = f"_desc-{kind}_".join(stem.rsplit("_", 1))
    else:
        stem += f"_{kind}"
    return path.with_name(stem + dot + extension)


def entities(image: Path | str) -> dict[str, str]:
    """Return the BIDS entities of a file name as a dictionary of keys to labels.

    Args:
        image: path or name of the file.
    """
    parts = Path(image).name.split(".")[0].split("_")
    return dict(part.split("-", 1) for part in parts if "-" in part)


def image_of(path: Path | str) -> str:
    """Return the name of the raw image that a derived image or its file of metrics belongs to.

    The name is that of the derivative without its `res` and `desc` entities, wherever they stand,
    and without suffix and extension, as in the column `image` of `inputs.tsv`. The name of any
    other file, such as a reconstruction by another program, keeps its suffix.

    Args:
        path: path or name of the derivative.
    """
    stem = Path(path).name.partition(".")[0]
    labels = entities(path)
    added = {f"{key}-{labels[key]}" for key in ("res", "desc") if key in labels}
    parts = [part for part in stem.split("_") if part not in added]
    if added and parts and parts[-1] == suffix_of(path):
        parts.pop()
    return "_".join(parts) or stem


def suffix_of(name: Path | str) -> str:
    """Return the BIDS suffix of a file name, such as T2w.

    Args:
        name: path or name of the file.
    """
    return Path(name).name.partition(".")[0].rpartition("_")[2]


def resolution(label: str) -> str:
    """Describe a `res` label in words: `iso05` is 0.5 mm isotropic, other labels name a view.

    Args:
        label: label without its key.
    """
    if label.startswith("iso") and label[3:].isdigit():
        return f"isotropic voxels of {voxel_size(label):g} mm"
    return f"thick slices of the simulated {label} view"


def resolution_label(voxel_mm: float) -> str:
    """Return the `res` label of an isotropic voxel size: `iso05` for 0.5 mm, `iso1` for 1 mm.

    Args:
        voxel_mm: voxel size in mm, from 0.0001 to below 10.

    Raises:
        InputError: the label would not determine the voxel size, such as one of 10 mm or more.
    """
    return "iso" + _digits(voxel_mm)


def voxel_size(label: str) -> float:
    """Return the voxel size in mm that a label of `resolution_label` stands for.

    Args:
        label: label such as `iso05`.
    """
    return _number(label.removeprefix("iso"))


def inr_label(fourier_dim: int, sigma: float | None = None, seed: int | None = None) -> str:
    """Return the `desc` label of an INR, such as `inrF128`, `inrF128sigma0031` or `inrF128seed1`.

    Args:
        fourier_dim: number of Fourier frequencies.
        sigma: standard deviation of the frequencies in cycles/mm, from 0.0001 to below 10, if it
            differs from `fit.sigma`.
        seed: seed of the fit, if it differs from `fit.seed`.

    Raises:
        InputError: the label would not determine sigma, such as one of 10 or more.
    """
    width = "" if sigma is None else f"sigma{_digits(sigma)}"
    return f"inrF{fourier_dim}{width}" + ("" if seed is None else f"seed{seed}")


def variant_labels(
    fourier_dims: Sequence[int],
    sigmas: Sequence[float],
    seeds: Sequence[int],
    fit: dict[str, float],
) -> list[str]:
    """Return the `desc` labels of the INRs that are fitted besides one per Fourier dimension.

    Args:
        fourier_dims: numbers of Fourier frequencies. Each is fitted with every seed, the largest
            also with every sigma.
        sigmas: standard deviations in cycles/mm; `fit.sigma` among them adds no label.
        seeds: seeds of the fits; `fit.seed` among them adds no label.
        fit: the `fit:` section of a configuration.
    """
    labels = [
        inr_label(dim, seed=seed) for dim in fourier_dims for seed in seeds if seed != fit["seed"]
    ]
    others = [sigma for sigma in sigmas if sigma != fit["sigma"]]
    return labels + [inr_label(max(fourier_dims), sigma=sigma) for sigma in others]


def variant_setting(label: str) -> tuple[str, float] | None:
    """Return the setting that the `desc` label of an INR names, such as ("seed", 1).

    Args:
        label: `desc` label, or the end of one.

    Returns:
        Name and value of the setting, or None if the label names no setting.
    """
    ending = re.search(f"{VARIANT_PATTERN}$", label)
    if not ending:
        return None
    name = ending[1]
    digits = ending[0].removeprefix(name)
    return name, int(digits) if name == "seed" else _number(digits)


def _digits(value: float) -> str:
    """Write a number with digits alone, as BIDS labels require: 0.031 becomes 0031.

    Args:
        value: number from 0.0001 to below 10.

    Raises:
        InputError: the digits would not determine the number.
    """
    text = f"{value:g}"
    digits = text.replace(".", "")
    if not digits.isdecimal() or _number(digits) != float(text):
        raise InputError(
            f"{text}: cannot be written into the label of a file name; choose a number from 0.0001 "
            "to below 10."
        )
    return digits


def _number(digits: str) -> float:
    """Read a number written by `_digits`: the decimal point follows the first digit."""
    return float(f"{digits[0]}.{digits[1:] or 0}")


def describe_label(label: str) -> str:
    """Describe in a sentence what the images with a `desc` label are.

    Args:
        label: label without its key.

    Raises:
        InputError: the label is not one of cordinr's.
    """
    if label == "simulated":
        return "Thick-slice view simulated from the raw image."
    if label == "aligned":
        return "Thick-slice scan with its position and its intensities corrected."
    if label in BASELINES:
        return BASELINES[label].description
    if label == f"{LEARNED}stderr":
        return f"Standard error of desc-{LEARNED}: how uncertain its network says that it is."
    parts = re.fullmatch(f"inrF([0-9]+)({VARIANT_PATTERN})?(spread|stderr)?", label)
    if not parts:
        raise InputError(
            f"desc label '{label}' is not known; use simulated, aligned, inrF<N>, inrF<N>spread, "
            f"inrF<N>stderr or {', '.join(BASELINES)}."
        )
    inr = label.removesuffix("spread")
    if inr != label:
        return f"Standard deviation over the ensemble of desc-{inr}: how uncertain it is."
    inr = label.removesuffix("stderr")
    if inr != label:
        return f"Standard error of desc-{inr}, as its prior and its ensemble, if any, tell it."
    setting = variant_setting(label)
    detail = ", {} {:g}{}".format(*setting, VARIANT_UNITS[setting[0]]) if setting else ""
    return (
        f"Implicit neural representation fitted to the views, Fourier dimension {parts[1]}{detail}."
    )
