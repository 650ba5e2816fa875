"""BIDS file names: entities, resolutions, INRs, sidecars."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..methods import BASELINES

VARIANT = "(sigma|seed)[0-9]+"
"""Regular expression of the ending of a `desc` label that names another sigma or seed."""


def sidecar_path(image: Path | str) -> Path:
    """The JSON sidecar that belongs to an image.

    Raises:
        InputError: the name does not end in .nii.gz or .nii.
    """
    name = str(image)
    for extension in (".nii.gz", ".nii"):
        if name.endswith(extension):
            return Path(name.removesuffix(extension) + ".json")
    raise InputError(f"{image}: is not named .nii.gz or .nii; choose such a name.")


def uncertainty_path(image: Path | str) -> Path:
    """The uncertainty map that belongs to an image: `desc-X` becomes `desc-Xspread`."""
    path = Path(image)
    stem, dot, extension = path.name.partition(".")
    label = entities(path).get("desc")
    if label:
        stem = stem.replace(f"desc-{label}", f"desc-{label}spread")
    elif "_" in stem:
        stem = "_desc-spread_".join(stem.rsplit("_", 1))
    else:
        stem += "_spread"
    return path.with_name(stem + dot + extension)


def entities(image: Path | str) -> dict[str, str]:
    """The BIDS entities of a file name, as key to label."""
    parts = Path(image).name.split(".")[0].split("_")
    return dict(part.split("-", 1) for part in parts if "-" in part)


def image_of(path: Path | str) -> str:
    """The raw image that a file belongs to: its file name up to the suffix, as in `inputs.tsv`.

    Of a derivative that is the name without its `res` and `desc` entities, wherever they stand. A
    name without entities, which BIDS does not rule, is returned whole up to its extension.
    """
    stem = Path(path).name.partition(".")[0]
    labels = entities(path)
    if not labels:
        return stem
    added = {f"{key}-{labels[key]}" for key in ("res", "desc") if key in labels}
    parts = [part for part in stem.split("_") if part not in added]
    if parts and "-" not in parts[-1]:
        parts.pop()
    return "_".join(parts) or stem


def suffix_of(name: Path | str) -> str:
    """The BIDS suffix of a file name, such as T2w."""
    return Path(name).name.partition(".")[0].rpartition("_")[2]


def resolution(label: str) -> str:
    """What a `res` label means: `iso05` is 0.5 mm isotropic, other labels name a view."""
    if label.startswith("iso") and label[3:].isdigit():
        return f"isotropic voxels of {voxel_size(label):g} mm"
    return f"thick slices of the simulated {label} view"


def resolution_label(voxel_mm: float) -> str:
    """The `res` label of an isotropic voxel size: 0.5 is `iso05`, 1 is `iso1`, 0.75 is `iso075`.

    Raises:
        InputError: `voxel_size` could not read the size back: it is 10 mm or more.
    """
    return "iso" + _digits(voxel_mm)


def voxel_size(label: str) -> float:
    """The voxel size in mm of a label made by `resolution_label`."""
    return _number(label.removeprefix("iso"))


def inr_label(fourier_dim: int, sigma: float | None = None, seed: int | None = None) -> str:
    """The `desc` label of an INR: `inrF128`, and of variants `inrF128sigma0031`, `inrF128seed1`.

    Args:
        fourier_dim: number of Fourier frequencies.
        sigma: standard deviation of the frequencies in cycles/mm, below 10, where it differs from
            `fit.sigma`.
        seed: seed of the fit, where it differs from `fit.seed`.

    Raises:
        InputError: sigma is 10 or more.
    """
    width = "" if sigma is None else f"sigma{_digits(sigma)}"
    return f"inrF{fourier_dim}{width}" + ("" if seed is None else f"seed{seed}")


def variant_labels(
    fourier_dims: Sequence[int],
    sigmas: Sequence[float],
    seeds: Sequence[int],
    fit: dict[str, float],
) -> list[str]:
    """The `desc` labels of the INRs that are fitted besides one per Fourier dimension.

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
    """The setting in which the INR of a `desc` label differs from the rest, such as ("seed", 1).

    Args:
        label: a `desc` label, or its ending.

    Returns:
        Name and value of the setting; None where the label names none.
    """
    ending = re.search(f"{VARIANT}$", label)
    if not ending:
        return None
    name = ending[1]
    digits = ending[0].removeprefix(name)
    return name, int(digits) if name == "seed" else _number(digits)


def _digits(value: float) -> str:
    """A number written with digits alone, as BIDS labels require: 0.031 is 0031.

    Raises:
        InputError: the digits do not determine the number: it is 10 or more, or too small.
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
    return float(f"{digits[0]}.{digits[1:] or 0}")


VARIANT_UNITS = {"sigma": " cycles/mm", "seed": ""}
"""Unit of each setting that a `desc` label can name, as it follows the value in a sentence."""


def describe_label(label: str) -> str:
    """What a `desc` label means.

    Raises:
        InputError: the label is not one of cordinr's.
    """
    if label == "simulated":
        return "Thick-slice view simulated from the raw image."
    if label in BASELINES:
        return BASELINES[label].description
    parts = re.fullmatch(f"inrF([0-9]+)({VARIANT})?(spread)?", label)
    if not parts:
        raise InputError(
            f"desc label '{label}' is not known; use simulated, inrF<N>, inrF<N>spread or "
            f"{', '.join(BASELINES)}."
        )
    inr = label.removesuffix("spread")
    if inr != label:
        return f"Standard deviation over the ensemble of desc-{inr}: how uncertain it is."
    setting = variant_setting(label)
    detail = ", {} {:g}{}".format(*setting, VARIANT_UNITS[setting[0]]) if setting else ""
    return (
        f"Implicit neural representation fitted to the views, Fourier dimension {parts[1]}{detail}."
    )
