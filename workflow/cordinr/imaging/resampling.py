"""Images and segmentations on another grid."""

import numpy as np
import scipy

from .grid import Grid
from .volume import Volume

FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
"""Full width at half maximum of a Gaussian in units of its standard deviation."""

SPLINE_MARGIN = 12
"""Voxels by which an image is continued before its splines are found, as `scipy.ndimage` does."""

PARALLEL_TOLERANCE = 1e-3
"""Voxels by which the positions along one axis of an image may depend on the others' and the axes
still count as parallel."""

TIE_TOLERANCE = 1e-6
"""Fraction of a voxel within which a position counts as midway between two voxels, and belongs to
the later one, whatever the rounding of the affine."""


def resample_nearest(segmentation: Volume, grid: Grid) -> np.ndarray:
    """The values of a segmentation at the voxel centres of another grid, by the nearest voxel.

    Args:
        segmentation: on any grid of the same world: other voxels, axes and field of view.
        grid: of the result.

    Returns:
        Array of shape `grid.shape` and the segmentation's type; 0 beyond its field of view.
    """
    shape = np.array(segmentation.grid.shape)
    values = np.zeros(grid.size, segmentation.array.dtype)
    for block, centres in grid.blocks():
        index = segmentation.grid.index(centres)
        voxel = np.floor(index + 0.5 + TIE_TOLERANCE).astype(int)
        inside = ((voxel >= 0) & (voxel < shape)).all(axis=1)
        values[block][inside] = segmentation.array[tuple(voxel[inside].T)]
    return values.reshape(grid.shape)


def coarsen(volume: Volume, grid: Grid) -> np.ndarray:
    """An image with voxels as large or larger, along the same axes.

    Along each axis the image is first blurred by a Gaussian that makes a voxel of the old width one
    of the new: its full width at half maximum (FWHM) is sqrt(new^2 - old^2), as in
    `nibabel.processing.smooth_image` and spm_smooth. Then it is interpolated by cubic splines.

    Args:
        volume: to resample.
        grid: whose axes point along those of the volume, as `Grid.resampled` makes it.

    Returns:
        float32, shape `grid.shape`, clipped to the range of the volume's intensities, as a spline
        overshoots at edges.
    """
    old, new = volume.grid.voxel_sizes, grid.voxel_sizes
    fwhm = np.sqrt(np.maximum(0, new**2 - old**2))
    smooth = scipy.ndimage.gaussian_filter(
        volume.array.astype(np.float32), fwhm / FWHM_PER_SIGMA / old, mode="nearest"
    )
    first = volume.grid.index(grid.affine[:3, 3])
    image = scipy.ndimage.affine_transform(
        smooth, new / old, first, grid.shape, np.float32, order=3, mode="nearest"
    )
    return np.clip(image, volume.array.min(), volume.array.max())


def interpolate(volume: Volume, grid: Grid) -> np.ndarray:
    """An image at the voxel centres of another grid, by cubic splines.

    The same as `scipy.ndimage.map_coordinates`, whose splines are found anew at every call. Where
    the axes of both grids are parallel, as those of level stacks are, one axis follows the other,
    which takes a tenth of the time.

    Args:
        volume: to resample; beyond its outermost voxels it goes on as it ends.
        grid: of the result.

    Returns:
        float32, shape `grid.shape`.
    """
    turn = np.linalg.solve(volume.grid.affine[:3, :3], grid.affine[:3, :3])
    along = np.abs(turn).argmax(axis=1)
    elsewhere = np.abs(turn)
    elsewhere[range(3), along] = 0
    if len(set(along)) < 3 or (elsewhere @ grid.shape > PARALLEL_TOLERANCE).any():
        return _interpolate_oblique(volume, grid)
    image = volume.array.astype(np.float32)
    # Of positions in the middle of the grid, where what they depend on beside is least wrong.
    middle = (np.array(grid.shape) - 1) / 2
    first = volume.grid.index(grid.world(middle)) - turn[range(3), along] * middle[along]
    counts = [grid.shape[axis] for axis in along]
    growth = [count / length for count, length in zip(counts, image.shape, strict=True)]
    for axis in np.argsort(growth):
        positions = first[axis] + turn[axis, along[axis]] * np.arange(counts[axis])
        weights = _spline_weights(image.shape[axis], positions)
        image = np.moveaxis(np.tensordot(weights, image, (1, axis)), 0, axis)
    return np.ascontiguousarray(image.transpose(np.argsort(along)))


def _spline_weights(count: int, positions: np.ndarray) -> np.ndarray:
    """What each of `count` samples is worth at each position; float32 (positions, samples)."""
    index = np.meshgrid(positions, np.arange(count), indexing="ij")
    return scipy.ndimage.map_coordinates(np.eye(count), index, np.float32, order=3, mode="nearest")


def _interpolate_oblique(volume: Volume, grid: Grid) -> np.ndarray:
    padded = np.pad(volume.array.astype(np.float32), SPLINE_MARGIN, mode="edge")
    coefficients = scipy.ndimage.spline_filter(padded, order=3, mode="nearest")
    image = np.empty(grid.size, np.float32)
    for block, centres in grid.blocks():
        index = volume.grid.index(centres).T + SPLINE_MARGIN
        image[block] = scipy.ndimage.map_coordinates(
            coefficients, index, np.float32, order=3, mode="nearest", prefilter=False
        )
    return image.reshape(grid.shape)
