"""Which images can be a reference: near isotropic as they are, or once resampled."""

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
"""Largest to smallest voxel size up to which an image is resampled to be a reference."""

RESAMPLED = "Resampled"
"""Key in the sidecar of a resampled reference: from what to what."""

ROUNDING = 1e-3
"""Relative error of voxel sizes, which come from a header of float32."""


def isotropic_voxel(path: Path | str, sizes: Sequence[float] | np.ndarray) -> float | None:
    """The voxel size to which an image has to be resampled before it can be a reference.

    This is the one rule about the shape of a reference's voxels; the header alone decides it, so
    that an index can ask as well.

    Args:
        path: of the image, for the message.
        sizes: of its voxels along the three array axes, in mm.

    Returns:
        Its largest voxel size in mm, as no detail was measured that is finer along all axes; None
        for an image that is near isotropic (up to 1.2), which is taken as it is.

    Raises:
        InputError: the sizes differ by more than a factor of 2: it is a scan of thick slices.
    """
    low, high = float(min(sizes)), float(max(sizes))
    if high <= NEAR_ISOTROPIC * low:
        return None
    if high <= MAX_VOXEL_RATIO * low * (1 + ROUNDING):
        return round(high, 4)
    raise InputError(
        f"{path}: voxels of {voxel_text(sizes)} are too far from cubes for a reference; leave it "
        "out by dataset.subjects or dataset.entities, or combine such scans by `cordinr "
        "reconstruct`."
    )


def as_reference(path: Path | str, volume: Volume) -> tuple[Volume, str]:
    """An image with voxels that are near isotropic, over the same field of view and axes.

    Args:
        path: of the image, for the message.
        volume: the image.

    Returns:
        The volume itself and an empty text, or a resampled one and from what to what.

    Raises:
        InputError: as `isotropic_voxel`.
    """
    voxel = isotropic_voxel(path, volume.grid.voxel_sizes)
    if voxel is None:
        return volume, ""
    grid = _cubes(volume.grid, voxel)
    text = f"from {voxel_text(volume.grid.voxel_sizes)} to {voxel_text(grid.voxel_sizes)}"
    return Volume(coarsen(volume, grid), grid), text


def in_other_dataset(source: Path | str) -> bool:
    """Whether a BIDS URI names an image of another dataset: one that a reference is made of."""
    return str(source).startswith("bids:") and not str(source).startswith("bids::")


def grid_like(source: Path | str, image: Path | str) -> Grid:
    """The grid of an image; of one that a reference is made of, the reference's.

    So the commands in sidecars, which name the raw image, do what the workflow does with its copy.

    Args:
        source: path or BIDS URI.
        image: a file of the dataset whose links tell where the URI leads.

    Raises:
        InputError: as `resolve_bids_uri`, `load_grid` and `isotropic_voxel`.
    """
    path = resolve_bids_uri(source, image)
    grid = load_grid(path)
    voxel = isotropic_voxel(path, grid.voxel_sizes) if in_other_dataset(source) else None
    return _cubes(grid, voxel) if voxel else grid


def voxel_text(sizes: Sequence[float] | np.ndarray) -> str:
    """Voxel sizes in words, such as "0.8 x 0.5 x 0.5 mm"."""
    return f"{' x '.join(f'{mm:.3g}' for mm in np.asarray(sizes))} mm"


def _cubes(grid: Grid, voxel: float) -> Grid:
    """As `Grid.resampled`, in the precision of a header, so that a saved copy has the same grid."""
    cubes = grid.resampled(voxel)
    return replace(cubes, affine=cubes.affine.astype(np.float32).astype(float))
