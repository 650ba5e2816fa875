"""Images and segmentations on another grid."""

import numpy as np
import scipy

from .grid import Grid
from .volume import Volume

FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
"""Full width at half maximum of a Gaussian in units of its standard deviation."""

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
