"""What the verbs that judge reconstructions share: regions, and the panels of a figure."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acquisition.gaps import leave_unmeasured_out
from ..acquisition.overlap import coverage
from ..bids.cord_mask import load_cord
from ..bids.names import entities, sidecar_path
from ..bids.view_files import read_view
from ..errors import InputError
from ..evaluation.metrics import foreground
from ..evaluation.table import read_metrics
from ..files import read_json
from ..imaging.volume import Volume, load_volume

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from ..figures.plane_page import Panel
    from ..figures.resolution import Rendering


def regions_of(
    reference: Volume, mask: Path | None, view_paths: Sequence[Path]
) -> dict[str, np.ndarray]:
    """The regions of the metrics as bool arrays: `fov`, `fg`, and `cord` where a mask is usable."""
    # Padding that was cut off for the reconstruction is nothing that the views cover.
    views = leave_unmeasured_out([read_view(path, insist=True) for path in view_paths])
    if not views:
        log.warning("no --view given; fov is the whole reference.")
    fov = coverage(views, reference.grid)
    regions = {"fov": fov, "fg": fov & foreground(reference.array, reference.grid.voxel_sizes)}
    cord = load_cord(mask, reference.grid)
    if cord is not None:
        regions["cord"] = fov & cord
        if not regions["cord"].any():
            log.warning("%s: is empty where the views are; there are no cord figures.", mask)
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


def view_panels(view_paths: Sequence[Path]) -> "list[Panel]":
    """The views as columns of a figure."""
    from ..figures.plane_page import Panel

    names = [f"{entities(path).get('res', 'thick-slice')} view" for path in view_paths]
    return [
        Panel(name, read_view(path, insist=True).volume)
        for name, path in zip(names, view_paths, strict=True)
    ]


def recon_panels(
    inrs: Sequence[Path], baselines: Sequence[Path], metrics: Sequence[Path]
) -> "list[Panel]":
    """All baselines, and the INR with the highest PSNR over `fov`, as columns of a figure."""
    from ..figures.plane_page import Panel
    from ..pages.ranking import method_name

    images = [*inrs, *baselines]
    if len(metrics) != len(images):
        raise InputError("compare: give one --metrics per reconstruction, INRs first.")
    rows = dict(zip(images, map(_scored, metrics), strict=True))
    best = max(inrs, key=lambda path: rows[path]["psnr_fov"])
    return [
        Panel(
            method_name(rows[path]["method"], rows[path].get("fourier_dim")),
            load_volume(path),
            _score(rows[path]),
            order=1,
        )
        for path in [*baselines, best]
    ]


def renderings(
    images: Sequence[Path], metrics: Sequence[Path], truth: Path | None
) -> "tuple[list[Rendering], str]":
    """The INR with the highest PSNR over `fov` of the raw image's grid, at all voxel sizes.

    Args:
        images: renderings of one image, told apart by their `res` and `desc`.
        metrics: those of the raw image's grid, and others where they are known.
        truth: on the grid of one of the renderings.

    Returns:
        Coarsest first: the raw image's grid, then the others. The name of the INR.

    Raises:
        InputError: a rendering on the raw image's grid has no metrics, or the truth fits none.
    """
    from ..figures.resolution import Rendering
    from ..pages.ranking import method_name

    rows = {_labels(path): _scored(path) for path in metrics}
    own = [path for path in images if not _labels(path)[1]]
    missing = [path for path in own if _labels(path) not in rows]
    if missing or not own:
        raise InputError("resolution: give renderings on the raw image's grid and their --metrics.")
    best = max(own, key=lambda path: rows[_labels(path)]["psnr_fov"])
    label = _labels(best)[0]
    volumes = {_labels(path): load_volume(path) for path in images if _labels(path)[0] == label}
    known = load_volume(truth) if truth else None
    drawn = [
        Rendering(
            volume,
            _score(rows[labels]) if labels in rows else "",
            known if known and known.grid.matches(volume.grid) else None,
        )
        for labels, volume in volumes.items()
    ]
    if known and not any(each.truth for each in drawn):
        raise InputError(f"{truth}: is on the grid of no rendering; render one at its voxel size.")
    return drawn, method_name(rows[_labels(best)]["method"], rows[_labels(best)].get("fourier_dim"))


def _labels(path: Path) -> tuple[str, str]:
    """The desc and res labels of a file name; empty where it has none."""
    parts = entities(path)
    return parts.get("desc", ""), parts.get("res", "")


def _score(row: dict[str, Any]) -> str:
    return f"{row['psnr_fov']:.1f} dB, SSIM {row['ssim_fov']:.3f}"


def _scored(path: Path) -> dict[str, Any]:
    row = read_metrics(path)
    missing = [name for name in ("psnr_fov", "ssim_fov") if row.get(name) is None]
    if missing:
        raise InputError(f"{path}: has no {missing[0]}; evaluate that image over its views.")
    return row
