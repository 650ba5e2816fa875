"""BIDS file names: entities, resolutions, INRs, sidecars."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..methods import BASELINES

VARIANT = "(sigma|seed)[0-9]+"
"""Regular expression of what ends the label of an INR with another sigma or seed than the rest."""


def sidecar_path(image: Path | str) -> Path:
    """The JSON file that belongs to an image."""
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
    """Name the raw image that a file belongs to: the file name up to `res`, `desc` or extension."""
    return re.split("_(?:res|desc)-", Path(path).name, maxsplit=1)[0].partition(".")[0]


def suffix_of(name: Path | str) -> str:
    """The BIDS suffix of a file name, such as T2w."""
    return Path(name).name.partition(".")[0].rpartition("_")[2]


def resolution(label: str) -> str:
    """What a `res` label means: `iso05` is 0.5 mm isotropic, others name a view."""
    if label.startswith("iso") and label[3:].isdigit():
        return f"isotropic voxels of {voxel_size(label):g} mm"
    return f"thick slices of the simulated {label} view"


def resolution_label(voxel_mm: float) -> str:
    """The `res` label of an isotropic voxel size: 0.5 is `iso05`, 1 is `iso1`, 0.75 is `iso075`."""
    return "iso" + _digits(voxel_mm)


def voxel_size(label: str) -> float:
    """The voxel size in mm of a label made by `resolution_label`."""
    return _number(label.removeprefix("iso"))


def inr_label(fourier_dim: int, sigma: float | None = None, seed: int | None = None) -> str:
    """The `desc` label of an INR: `inrF128`, and of variants `inrF128sigma0031`, `inrF128seed1`.

    Args:
        fourier_dim: number of Fourier frequencies.
        sigma: their spread in cycles/mm, below 10, where it is not `fit.sigma`.
        seed: where it is not `fit.seed`.
    """
    spread = "" if sigma is None else f"sigma{_digits(sigma)}"
    return f"inrF{fourier_dim}{spread}" + ("" if seed is None else f"seed{seed}")


def variant_labels(
    fourier_dims: Sequence[int],
    sigmas: Sequence[float],
    seeds: Sequence[int],
    fit: dict[str, float],
) -> list[str]:
    """The `desc` labels of what is fitted besides one INR per Fourier dimension.

    Args:
        fourier_dims: each is fitted from every seed; the largest with every sigma.
        sigmas, seeds: those of the `fit:` section among them are fitted anyway.
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
        label: the whole of it or its end; None is returned where it differs in none.
    """
    found = re.search(f"{VARIANT}$", label)
    if not found:
        return None
    name = found[1]
    digits = found[0].removeprefix(name)
    return name, int(digits) if name == "seed" else _number(digits)


def _digits(value: float) -> str:
    """A number below 10 in digits alone, as BIDS labels have it: 0.031 is 0031."""
    return f"{value:g}".replace(".", "")


def _number(digits: str) -> float:
    return float(f"{digits[0]}.{digits[1:] or 0}")


VARIANT_UNITS = {"sigma": " cycles/mm", "seed": ""}


def describe_label(label: str) -> str:
    """What a `desc` label means.

    Raises:
        InputError: it is not one of cordinr's.
    """
    if label == "simulated":
        return "Thick-slice view simulated from the raw image."
    if label in BASELINES:
        return BASELINES[label].description
    found = re.fullmatch(f"inrF([0-9]+)({VARIANT})?(spread)?", label)
    if not found:
        raise InputError(
            f"desc label '{label}' is not known; use simulated, inrF<N>, inrF<N>spread or "
            f"{', '.join(BASELINES)}."
        )
    inr = label.removesuffix("spread")
    if inr != label:
        return f"Standard deviation over the ensemble of desc-{inr}: how uncertain it is."
    other = variant_setting(label)
    detail = ", {} {:g}{}".format(*other, VARIANT_UNITS[other[0]]) if other else ""
    return (
        f"Implicit neural representation fitted to the views, Fourier dimension {found[1]}{detail}."
    )
