"""BIDS file names: entities, resolutions, sidecars."""

from pathlib import Path

from .errors import InputError


def sidecar_path(image: Path | str) -> Path:
    """The JSON file that belongs to an image."""
    name = str(image)
    for extension in (".nii.gz", ".nii"):
        if name.endswith(extension):
            return Path(name.removesuffix(extension) + ".json")
    raise InputError(f"{image}: is not named .nii.gz or .nii; choose such a name.")


def spread_path(image: Path | str) -> Path:
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


def resolution(label: str) -> str:
    """What a `res` label means: `iso05` is 0.5 mm isotropic, others name a view."""
    if label.startswith("iso") and label[3:].isdigit():
        return f"isotropic voxels of {voxel_size(label):g} mm"
    return f"thick slices of the simulated {label} view"


def resolution_label(voxel_mm: float) -> str:
    """The `res` label of an isotropic voxel size: 0.5 is `iso05`, 1 is `iso1`, 0.75 is `iso075`."""
    return "iso" + f"{voxel_mm:g}".replace(".", "")


def voxel_size(label: str) -> float:
    """The voxel size in mm of a label made by `resolution_label`."""
    digits = label.removeprefix("iso")
    return float(f"{digits[0]}.{digits[1:] or 0}")
