"""What a scan should have measured, if a reconstruction were true: the forward model of the image.

Nothing is stored for the whole scan but its voxels: slices that lie along the image are predicted
one by one by their system matrix, oblique ones by linear interpolation at the sample points of that
matrix, block by block.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import ndimage

from ..acquisition.forward import oblique_samples, system_matrix
from ..acquisition.view import View
from ..imaging.grid import Grid
from ..imaging.volume import Volume

Covered = np.ndarray | Callable[[np.ndarray], np.ndarray] | None
"""Where an image holds anything: a bool array on its grid, a function of world mm (n, 3), or None
for everywhere."""

SLICE_BLOCK = 1 << 17
"""Slice voxels of an oblique scan that are predicted at a time."""

MAX_PROFILE = 1.5
"""Part of a slice profile that has to lie within the image, in thicknesses: 92 % of a Gaussian."""


def predict_slices(view: View, image: Volume, covered: Covered = None) -> np.ndarray:
    """Predict the voxels of a view by the forward model.

    Args:
        view: only its geometry and profile are read.
        image: the reconstruction.
        covered: where it holds anything.

    Returns:
        float32 of the shape of the view; NaN where the slice profile of a voxel does not lie within
        what the image covers.
    """
    known = _inner_voxels(image.grid, covered)
    predict = _predict_along if _is_along(view.volume.grid, image.grid) else _predict_oblique
    return predict(view, image, known).reshape(view.volume.grid.shape)


def _inner_voxels(grid: Grid, covered: Covered) -> np.ndarray:
    """Voxels all of whose neighbours are covered; bool of shape `grid.shape`."""
    if covered is None:
        return np.ones(grid.shape, bool)
    if isinstance(covered, np.ndarray):
        mask = covered
    else:
        mask = np.concatenate([covered(centres) for _, centres in grid.blocks()])
        mask = mask.reshape(grid.shape)
    return ndimage.binary_erosion(mask, np.ones((3, 3, 3)), border_value=1)


def _is_along(one: Grid, other: Grid) -> bool:
    """Whether the axes of two grids are parallel, in any order."""
    turn = np.abs(one.directions.T @ other.directions)
    return bool(np.allclose(turn.max(axis=0), 1, atol=1e-4))


def _predict_along(view: View, image: Volume, known: np.ndarray) -> np.ndarray:
    """(voxels,) of a scan whose axes are those of the image, by the system matrix of each slice."""
    grid, axis = view.volume.grid, view.axis
    predicted = np.full(grid.shape, np.nan, np.float32)
    slabs = np.moveaxis(predicted, axis, 0)
    for number in range(grid.shape[axis]):
        part = view.slice_grid(number)
        inside = _within(view, part.centres(), image.grid, known)
        if not inside.any():
            continue
        low, high = _box_around(part, view, image.grid)
        box = tuple(slice(*ends) for ends in zip(low, high, strict=True))
        shape = np.array(part.shape)
        empty = replace(
            view,
            volume=Volume(np.empty(shape, np.float32), part),
            measured=None,
            shifts=None,
        )
        matrix = system_matrix(empty, image.grid.cropped(low, high - low))
        values = matrix @ image.array[box].ravel()
        slab = np.where(inside, values, np.nan).reshape(part.shape)
        slabs[number] = np.moveaxis(slab, axis, 0)[0]
    return predicted.ravel()


def _box_around(part: Grid, view: View, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """First and last index (3,), exclusive, of the voxels of `grid` around a slice."""
    reach = max(view.profile.extent - part.voxel_sizes[view.axis], 0.0) / 2 + grid.voxel_sizes
    index = grid.index(part.corners)
    low = np.floor(index.min(axis=0) - reach / grid.voxel_sizes)
    high = np.ceil(index.max(axis=0) + reach / grid.voxel_sizes) + 1
    return np.maximum(low, 0).astype(int), np.minimum(high, grid.shape).astype(int)


def _predict_oblique(view: View, image: Volume, known: np.ndarray) -> np.ndarray:
    """(voxels,) of any scan, by linear interpolation of the image at sample points."""
    grid = view.volume.grid
    turn = np.linalg.inv(image.grid.affine)[:3, :3]
    offsets, weights = oblique_samples(view, float(image.grid.voxel_sizes.max()))
    predicted = np.full(grid.size, np.nan, np.float32)
    for block, centres in view.blocks(SLICE_BLOCK):
        inside = _within(view, centres, image.grid, known)
        index = image.grid.index(centres[inside])
        total = np.zeros(len(index), np.float32)
        for offset, weight in zip(offsets, weights, strict=True):
            at = (index + turn @ offset).T
            total += weight * ndimage.map_coordinates(image.array, at, order=1, mode="nearest")
        predicted[block][inside] = total
    return predicted


def _within(view: View, centres: np.ndarray, grid: Grid, known: np.ndarray) -> np.ndarray:
    """Which voxels at `centres` (n, 3) have their slice profile within known voxels; bool (n,)."""
    inside = np.ones(len(centres), bool)
    start, turn = grid.index(centres), np.linalg.inv(grid.affine)[:3, :3]
    last = np.array(grid.shape) - 1
    for offset in _outline(view):
        index = start[inside] + turn @ offset
        here = grid.contains(index)
        voxel = np.clip(np.rint(index[here]).astype(int), 0, last)
        here[here] = known[tuple(voxel.T)]
        inside[inside] = here
    return inside


def _outline(view: View) -> np.ndarray:
    """World offsets (13, 3) in mm from the centre of a slice voxel to it and along its edges."""
    profile, slices = view.profile, view.volume.grid
    reach = min(profile.extent, MAX_PROFILE * profile.thickness)
    along = np.array([-reach / 2, 0, reach / 2])[:, None] * view.normal
    one, other = (slices.affine[:3, axis] / 2 for axis in view.in_plane)
    corners = np.stack([one + other, one - other, other - one, -one - other])
    # The centre first: most voxels of a scan that reaches far beyond the image need no other point.
    return np.concatenate([np.zeros((1, 3)), (along[:, None] + corners).reshape(-1, 3)])
