"""Reference images: raw images with nearly isotropic voxels, resampled if necessary."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..acquisition.slice_geometry import NEAR_ISOTROPIC
from ..errors import InputError
from ..imaging.grid import Grid
from ..imaging.resampling import coarsen
from ..imaging.volume import Volume, load_grid
from .uris import resolve_bids_uri

MAX_VOXEL_RATIO = 2.0
"""Maximum ratio of the largest to the smallest voxel size of an image that becomes a reference."""

RESAMPLED_KEY = "Resampled"
"""Key in the sidecar of a resampled reference that gives the voxel sizes before and after."""

SIZE_TOLERANCE = 1e-3
"""Relative tolerance of voxel sizes, which a NIfTI header stores as float32."""


def isotropic_voxel(path: Path | str, sizes: Sequence[float] | np.ndarray) -> float | None:
    """Return the voxel size to which an image has to be resampled before it can be a reference.

    No other function decides on the voxel sizes of a reference. It needs only the header, so that
    the index of a dataset can call it as well.

    Args:
        path: path of the image, for the message.
        sizes: voxel sizes along the three array axes in mm.

    Returns:
        The largest of the voxel sizes in mm, because finer detail was not measured along every
        axis; None for a nearly isotropic image (a ratio of up to `NEAR_ISOTROPIC`), which needs no
        resampling.

    Raises:
        InputError: the voxel sizes differ by more than a factor of `MAX_VOXEL_RATIO`, as in a scan
            of thick slices.
    """
    low, high = float(min(sizes)), float(max(sizes))
    if high <= NEAR_ISOTROPIC * low:
        return None
    if high <= MAX_VOXEL_RATIO * low * (1 + SIZE_TOLERANCE):
        return round(high, 4)
    raise InputError(
        f"{path}: voxels of {voxel_text(sizes)} are too far from cubes for a reference; leave it "
        "out by dataset.subjects or dataset.entities, or combine such scans: all of a dataset by "
        "views.acquired, those of one patient by `cordinr reconstruct`."
    )


def as_reference(path: Path | str, volume: Volume) -> tuple[Volume, str]:
    """Resample an image to isotropic voxels along the same axes, if it is not nearly isotropic.

    Args:
        path: path of the image, for the message.
        volume: image to resample.

    Returns:
        The resampled image and a text with the voxel sizes before and after, or the image itself
        and an empty text.

    Raises:
        InputError: as for `isotropic_voxel`.
    """
    voxel = isotropic_voxel(path, volume.grid.voxel_sizes)
    if voxel is None:
        return volume, ""
    grid = _cubes(volume.grid, voxel)
    text = f"from {voxel_text(volume.grid.voxel_sizes)} to {voxel_text(grid.voxel_sizes)}"
    return Volume(coarsen(volume, grid), grid), text


def in_other_dataset(source: Path | str) -> bool:
    """Tell whether a source is the BIDS URI of a file in another dataset, such as the raw one.

    Args:
        source: path or BIDS URI of the source.
    """
    return str(source).startswith("bids:") and not str(source).startswith("bids::")


def grid_like(source: Path | str, image: Path | str) -> Grid:
    """Return the grid of an image or, for a raw image in another dataset, that of its reference.

    The workflow works on a copy of the raw image, the reference, while the commands in sidecars
    name the raw image itself; with this function both use the same grid.

    Args:
        source: path or BIDS URI of the image.
        image: path of a file in the dataset whose `DatasetLinks` resolve the URI.

    Raises:
        InputError: as for `resolve_bids_uri`, `load_grid` and `isotropic_voxel`.
    """
    path = resolve_bids_uri(source, image)
    grid = load_grid(path)
    voxel = isotropic_voxel(path, grid.voxel_sizes) if in_other_dataset(source) else None
    return _cubes(grid, voxel) if voxel else grid


def voxel_text(sizes: Sequence[float] | np.ndarray) -> str:
    """Write voxel sizes as a text, such as "0.8 x 0.5 x 0.5 mm".

    Args:
        sizes: voxel sizes in mm.
    """
    return f"{' x '.join(f'{mm:.3g}' for mm in np.asarray(sizes))} mm"


def _cubes(grid: Grid, voxel: float) -> Grid:
    """Resample a grid, with an affine rounded to float32 as in the header of a saved image."""
    cubes = grid.resampled(voxel)
    return replace(cubes, affine=cubes.affine.astype(np.float32).astype(float))
