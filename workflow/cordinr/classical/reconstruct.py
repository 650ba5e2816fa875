"""Interpolation and regularised least squares: the methods that an INR has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import scipy

from ..acquisition.forward import measured_rows, with_whole_slices
from ..acquisition.noise import contradiction
from ..acquisition.overlap import Field, limits_of, regions_of, within_any
from ..acquisition.view import View, intensity_scale
from ..errors import InputError
from ..imaging.grid import Grid
from ..imaging.resampling import interpolate
from ..methods import CLASSICAL
from .differences import Differences
from .interpolation import matched
from .straightened import straightened
from .tikhonov import Tikhonov
from .weights import automatic_weight

if TYPE_CHECKING:
    import torch

UNMEASURED_WEIGHT = 1e-6
"""Weight in the cubic mean of a view where it was not measured: it counts only where no other view
was measured either."""


def reconstruct_baseline(
    views: Sequence[View],
    grid: Grid,
    method: str,
    weight: float = 0.0,
    device: torch.device | str = "cpu",
    field: Field = "crossed",
) -> np.ndarray:
    """Reconstruct a volume from views without a network.

    It is computed on `with_whole_slices`, so that it is as good at the edge of the grid as within.

    Args:
        views: at least one.
        grid: of the result.
        method: a key of `CLASSICAL`.
        weight: of the penalty, for intensities scaled to about [0, 1]; "cubic" has none.
        device: where total variation is computed, "cpu" or "cuda".
        field: in which the views have to overlap.

    Returns:
        float32 of shape `grid.shape`, in the units of the views.

    Raises:
        InputError: the method is not known, the weight not finite, the views do not overlap, or
            hold intensities that are too large for total variation.
    """
    if method not in CLASSICAL:
        raise InputError(f"method '{method}' is not known; use {', '.join(CLASSICAL)}.")
    around, part = with_whole_slices(views, grid)
    image = _reconstruct_all(views, around, {method: weight}, device, field)[0]
    return within_limits(image[part], views, grid)


def regularised(
    views: Sequence[View],
    grid: Grid,
    tv_weight: float,
    device: torch.device | str = "cpu",
    field: Field = "crossed",
) -> np.ndarray:
    """Reconstruct the image that a network begins at or is drawn to: total variation as a rule.

    Where scans contradict each other, the mean of it and of Tikhonov at its automatic weight: their
    mistakes are not the same ones, and the mean of both was better than either on people whose
    scans were spoilt (`benchmarks/NOTES.md`). It goes on beyond the limits of cropped views, where
    points of slices lie that are within.

    Args:
        views: at least one.
        grid: of the result, exactly: one of `with_whole_slices`, or edges are poor.
        tv_weight: of the total variation, as `reconstruct_baseline`.
        device: where total variation is computed.
        field: in which the views have to overlap.

    Raises:
        InputError: as `reconstruct_baseline`.
    """
    weights = {"tv": tv_weight}
    if contradiction(views, intensity_scale(views)):
        weights["tikhonov"] = automatic_weight(views, "tikhonov")
    return np.mean(_reconstruct_all(views, grid, weights, device, field), axis=0)


def within_limits(image: np.ndarray, views: Sequence[View], grid: Grid) -> np.ndarray:
    """The image, set to zero where it would extend into padding that was cut off the views."""
    limits = limits_of(views)
    image = np.ascontiguousarray(image)
    if limits:
        for block, centres in grid.blocks():
            image.reshape(-1)[block][~within_any(centres, limits)] = 0
    return image


def _reconstruct_all(
    views: Sequence[View],
    grid: Grid,
    weights: Mapping[str, float],
    device: torch.device | str,
    field: Field,
) -> list[np.ndarray]:
    """An image by each method that has a weight, from one system of equations."""
    for method, weight in weights.items():
        if not (np.isfinite(weight) and weight >= 0):
            raise InputError(f"the weight of {method} is {weight}; give a number from 0.")
    regions_of(views, field)
    for view in views:
        if not np.isfinite(view.voxels).all():
            raise InputError(
                f"{view.name}: has voxels that are not finite; read it by `load_views`, which "
                "leaves them out."
            )
    if list(weights) == ["cubic"]:
        return [cubic_mean(views, grid)]
    views = matched(views, grid)
    cubic = cubic_mean(views, grid)
    scale = intensity_scale(views)
    matrix, slices = _stacked(views, grid, scale)
    differences, images = Differences.on(grid), []
    for method, weight in weights.items():
        start = cubic.ravel() / scale
        if method == "tikhonov":
            image = Tikhonov(matrix, differences, weight).least(slices, start)
        else:
            image = _total_variation(views, matrix, slices, differences, weight, start, device)
        images.append((image * scale).astype(np.float32).reshape(grid.shape))
    return images


def _total_variation(
    views: Sequence[View],
    matrix: scipy.sparse.csr_array,
    slices: np.ndarray,
    differences: Differences,
    weight: float,
    start: np.ndarray,
    device: torch.device | str,
) -> np.ndarray:
    """`least_total_variation`, of which only this imports torch."""
    from .total_variation import least_total_variation

    try:
        solution = least_total_variation(matrix, slices, differences, weight, start, device)
    except OverflowError as error:
        names = " and ".join(view.name for view in views)
        raise InputError(
            f"{names}: hold intensities too far beyond their 99th percentile for total variation; "
            "clip them."
        ) from error
    return solution.cpu().numpy()


def cubic_mean(views: Sequence[View], grid: Grid) -> np.ndarray:
    """Mean over the views of cubic spline interpolation at the voxel centres; float32.

    Where some of the views were not measured, the mean is that of the others; slices that count
    less in a fit count less here as well.
    """
    total, weight = np.zeros(grid.size), np.zeros(grid.size)
    for view in map(straightened, views):
        values = interpolate(view.volume, grid).ravel()
        for block, centres in grid.blocks():
            part = _part_measured(view, view.volume.grid.index(centres))
            total[block] += values[block] * part
            weight[block] += part
    total /= weight
    return total.astype(np.float32).reshape(grid.shape)


def _part_measured(view: View, index: np.ndarray) -> np.ndarray:
    """Weight (n,) of a view at fractional indices (n, 3): almost zero where it was not measured.

    Up to one voxel beyond its field of view a view counts like its outermost voxels.
    """
    part = np.maximum(view.volume.grid.contains(index, (1, 1, 1)), UNMEASURED_WEIGHT)
    if view.measured is None and view.trust is None:
        return part
    trusted = view.voxel_trust if view.measured is None else view.voxel_trust * view.measured
    near = scipy.ndimage.map_coordinates(
        trusted.astype(np.float32), index.T, order=0, mode="nearest"
    )
    return part * np.maximum(near, UNMEASURED_WEIGHT)


def _stacked(
    views: Sequence[View], grid: Grid, scale: float
) -> tuple[scipy.sparse.csr_array, np.ndarray]:
    """The system matrix of all views and their scaled voxels, without the empty rows."""
    matrices, slices = [], []
    for view in views:
        matrix, seen = measured_rows(view, grid)
        values = view.volume.array.ravel()[seen] / scale
        if view.trust is not None:
            root = np.sqrt(view.voxel_trust.ravel()[seen])
            matrix, values = scipy.sparse.diags_array(root) @ matrix, values * root
        matrices.append(matrix)
        slices.append(values)
    stacked = scipy.sparse.csr_array(scipy.sparse.vstack(matrices), dtype=np.float32)
    return stacked, np.concatenate(slices).astype(np.float64)
