"""What the verbs that judge reconstructions share: regions, and the panels of a figure."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acquisition import coverage
from ..derivatives import read_view
from ..errors import InputError
from ..files import read_json
from ..metrics import foreground
from ..naming import entities, sidecar_path
from ..table import read_metrics
from ..volume import Volume, load_mask, load_volume

if TYPE_CHECKING:
    from ..figures import Panel


def regions_of(
    reference: Volume, mask: Path | None, view_paths: Sequence[Path]
) -> dict[str, np.ndarray]:
    """The regions of the metrics as bool arrays: `fov`, `fg`, and `cord` where there is a mask."""
    views = [read_view(path)[0] for path in view_paths]
    if not views:
        print("note: no --view given; fov is the whole reference.", file=sys.stderr)
    fov = coverage(views, reference.grid)
    regions = {"fov": fov, "fg": fov & foreground(reference.array, reference.grid.voxel_sizes)}
    if mask:
        regions["cord"] = fov & load_mask(mask, reference.grid)
        if not regions["cord"].any():
            print(f"note: {mask}: is empty where the views are; no cord figures.", file=sys.stderr)
    return regions


def identity(recon: Path) -> dict[str, Any]:
    """What a reconstruction is, as the first columns of the table: by its name and its sidecar.

    Raises:
        InputError: the sidecar says something else than cordinr writes.
    """
    sidecar = sidecar_path(recon)
    made = read_json(sidecar) if sidecar.exists() else {}
    labels = entities(recon)
    method, dim = made.get("Method", labels.get("desc", "")), made.get("FourierDimension")
    settings = made.get("FitSettings", {})
    if not (isinstance(method, str) and isinstance(dim, int | None) and isinstance(settings, dict)):
        raise InputError(
            f"{sidecar}: Method, FourierDimension or FitSettings is not what cordinr writes; "
            "correct it."
        )
    return {
        "subject": labels.get("sub", ""),
        "session": labels.get("ses", ""),
        "image": recon.name.split("_res-")[0].split("_desc-")[0].split(".")[0],
        "method": method,
        "fourier_dim": dim,
        "desc": labels.get("desc", ""),
        "sigma": settings.get("sigma"),
        "seed": settings.get("seed"),
        "res": labels.get("res", ""),
    }


def panels(
    inrs: Sequence[Path],
    baselines: Sequence[Path],
    metrics: Sequence[Path],
    view_paths: Sequence[Path],
) -> "list[Panel]":
    """The views, the baseline with the highest PSNR over `fov`, and the INR with the highest."""
    from ..ablation import BASELINES
    from ..figures import Panel

    images = [*inrs, *baselines]
    if len(metrics) != len(images):
        raise InputError("compare: give one --metrics per reconstruction, INRs first.")
    figures = dict(zip(images, map(_scored, metrics), strict=True))
    chosen = [max(group, key=lambda path: figures[path]["psnr_fov"]) for group in (baselines, inrs)]
    drawn = []
    for path in view_paths:
        label = entities(path).get("res", "thick-slice")
        drawn.append(Panel(f"{label} view", read_view(path)[0].volume, "", False))
    for path in chosen:
        row = figures[path]
        dim = row.get("fourier_dim")
        name = f"INR, F = {dim}" if dim else BASELINES.get(row["method"], (row["method"],))[0]
        caption = f"{row['psnr_fov']:.1f} dB, SSIM {row['ssim_fov']:.3f}"
        drawn.append(Panel(name, load_volume(path), caption, True))
    return drawn


def _scored(path: Path) -> dict[str, Any]:
    row = read_metrics(path)
    missing = [name for name in ("psnr_fov", "ssim_fov") if row.get(name) is None]
    if missing:
        raise InputError(f"{path}: has no {missing[0]}; evaluate that image over its views.")
    return row
