"""Estimates of the memory and time of a fit, from the headers of its views, for schedulers.

Does not import torch: Snakemake calls this while it builds the graph of jobs.
"""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib

from ..methods import PRIOR_FREE
from .settings import ISOTROPIC_SPACINGS, SLICE_FRACTIONS

BASE_MB = 1000
"""Megabytes of the interpreter, torch and small buffers."""

BYTES_PER_WEIGHT = 40
"""Bytes for each weight: itself, its gradient, Adam's two moments, and copies for a checkpoint."""

BYTES_PER_POINT = 100
"""Bytes for each point that a view voxel averages: position, weights and value."""

BYTES_PER_VOXEL = 400
"""Bytes for each voxel of the total variation reconstruction before the fit, of oblique views."""

BYTES_PER_SEEN_VOXEL = 700
"""Bytes for each voxel that the network of a prior sees at a time."""

SEEN_VOXELS = 184**3
"""Largest number of these: a tile of 128 voxels along each axis, and 28 more at each end."""

BASE_MINUTES = 20.0
"""Minutes granted to every fit."""

MINUTES_PER_MILLION_WEIGHTS = 1.0
"""Minutes granted per million weights, on two slow cores; seven times what two EPYC cores took."""


def fit_memory_mb(
    views: Sequence[Path | str], settings: Mapping[str, Any], prior: str = "tv"
) -> int:
    """Megabytes of main memory that suffice for a fit of these views.

    Args:
        views: thick-slice images; only their headers are read.
        settings: the `fit:` section of a configuration.
        prior: what draws the INR, as in a configuration.

    Raises:
        FileNotFoundError: a view is not there yet.
    """
    fine, lattice = estimate_points(views)
    weights = BYTES_PER_WEIGHT * settings["members"] * settings["channels"] * lattice
    before = BYTES_PER_VOXEL * fine if settings["tv_prior"] else 0
    if prior not in PRIOR_FREE:
        before = BYTES_PER_VOXEL * fine + BYTES_PER_SEEN_VOXEL * min(fine, SEEN_VOXELS)
    return math.ceil(BASE_MB + (max(weights, before) + BYTES_PER_POINT * fine) / 1e6)


def fit_minutes(views: Sequence[Path | str], settings: Mapping[str, Any]) -> int:
    """Minutes within which two CPU cores fit these views; arguments as for the memory."""
    weights = settings["members"] * max(settings["channels"], 1) * estimate_points(views)[1]
    return math.ceil(BASE_MINUTES + MINUTES_PER_MILLION_WEIGHTS * weights / 1e6)


def estimate_points(views: Sequence[Path | str]) -> tuple[float, float]:
    """Numbers of fine voxels and of lattice points over the field of view of the views.

    Lattice points beyond the edges of the field of view are not counted.

    Args:
        views: thick-slice images; only their headers are read.

    Returns:
        The number of voxels, if all were as fine as the finest, and the points of all lattices.

    Raises:
        FileNotFoundError: a view is not there yet.
    """
    for view in views:
        os.stat(view)  # names a missing one, as Snakemake wants to know; nibabel does not
    headers: list[Any] = [nib.load(view).header for view in views]
    sizes = [[float(mm) for mm in header.get_zooms()[:3]] for header in headers]
    shapes = [header.get_data_shape()[:3] for header in headers]
    finest = min(map(min, sizes))
    extents = [math.prod(n) * math.prod(mm) for n, mm in zip(shapes, sizes, strict=True)]
    fine = max(extents) / finest**3
    isotropic = sum(times**-3 for times in ISOTROPIC_SPACINGS)
    across = [max(finest, part * max(mm)) for mm in sizes for part in SLICE_FRACTIONS]
    return fine, fine * (isotropic + sum(finest / mm for mm in across))
