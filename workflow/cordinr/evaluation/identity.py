"""What a reconstruction is, by its name and sidecar, and over which regions it is scored."""

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
from ..files import read_json
from ..imaging.volume import Volume
from .metrics import foreground

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)


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
