"""The identity of a reconstruction, by name and sidecar, and the regions it is scored over."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..acquisition.gaps import leave_unmeasured_out
from ..acquisition.overlap import coverage
from ..bids.cord_mask import load_cord
from ..bids.names import entities, image_of, sidecar_path
from ..bids.view_files import read_view
from ..errors import InputError
from ..files import read_json
from ..imaging.body import foreground
from ..imaging.volume import Volume

log = logging.getLogger(__name__)


def build_regions(
    reference: Volume, mask: Path | None, view_paths: Sequence[Path]
) -> dict[str, np.ndarray]:
    """Make the regions over which reconstructions of an image are scored.

    Args:
        reference: the image; its grid is that of the regions.
        mask: segmentation of the spinal cord, or None.
        view_paths: the views; without any, `fov` is the whole reference.

    Returns:
        Label to bool array: `fov`, `fg`, and `cord` where there is a mask that can be used.

    Raises:
        InputError: a view cannot be read, or the views have no common field of view.
    """
    # Padding that was cut off for the reconstruction is not covered by the views.
    views = leave_unmeasured_out([read_view(path, insist=True) for path in view_paths])
    if not views:
        log.warning("no --view given; fov is the whole reference.")
    fov = coverage(views, reference.grid)
    regions = {"fov": fov, "fg": fov & foreground(reference.array, reference.grid.voxel_sizes)}
    cord = load_cord(mask, reference.grid)
    if cord is not None:
        regions["cord"] = fov & cord
        if not regions["cord"].any():
            log.warning("%s: is empty where the views are; there are no cord metrics.", mask)
    return regions


def read_identity(recon: Path) -> dict[str, Any]:
    """Tell what a reconstruction is, by its name and its sidecar, if it has one.

    Args:
        recon: an image file.

    Returns:
        The first columns of the table of metrics.

    Raises:
        InputError: the sidecar says something that cordinr does not write.
    """
    path = sidecar_path(recon)
    sidecar = read_json(path) if path.exists() else {}
    labels = entities(recon)
    method, dim = sidecar.get("Method", labels.get("desc", "")), sidecar.get("FourierDimension")
    settings = sidecar.get("FitSettings", {})
    if not (isinstance(method, str) and isinstance(dim, int | None) and isinstance(settings, dict)):
        raise InputError(
            f"{path}: Method, FourierDimension or FitSettings is not what cordinr writes; "
            "correct it."
        )
    return {
        "subject": labels.get("sub", ""),
        "session": labels.get("ses", ""),
        "image": image_of(recon),
        "method": method,
        "fourier_dim": dim,
        "desc": labels.get("desc", ""),
        "sigma": settings.get("sigma"),
        "seed": settings.get("seed"),
        "res": labels.get("res", ""),
    }
