"""Images and segmentations on another grid."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.processing import resample_from_to, smooth_image
from scipy.ndimage import map_coordinates

from cordinr.imaging.grid import Grid
from cordinr.imaging.resampling import coarsen, interpolate, resample_nearest
from cordinr.imaging.volume import Volume
from tests.helpers.support import blobs

LAS = np.array([[-0.8, 0, 0, 9], [0, 0.8, 0, -7], [0, 0, 0.8, -8], [0, 0, 0, 1]])
RPI = np.array([[0.53, 0, 0, -8], [0, -0.53, 0, 9], [0, 0, -0.47, 7.1], [0, 0, 0, 1]])
PSR = np.array([[0, 0, 0.7, -9], [-0.9, 0, 0, 8], [0, 1.1, 0, -9], [0, 0, 0, 1]])
TILTED = np.array([[0.6, 0.2, 0, -8], [-0.2, 0.6, 0.1, -6], [0, -0.1, 0.9, -7], [0, 0, 0, 1]])


@pytest.mark.parametrize("affine", [RPI, PSR, TILTED], ids=["flipped", "permuted", "tilted"])
def test_a_segmentation_is_resampled_through_both_affines(affine):
    segmentation = Volume(
        (blobs((30, 28, 26), affine).array > 110) * 1.0, Grid((30, 28, 26), affine)
    )
    grid = Grid((22, 18, 20), LAS)
    image = nib.Nifti1Image(segmentation.array, affine)
    expected = resample_from_to(image, (grid.shape, grid.affine), order=0, cval=0)
    found = resample_nearest(segmentation, grid)
    # scipy counts the outer half of the outermost voxels as outside
    at = segmentation.grid.index(grid.centres())
    inner = ((at >= 0) & (at <= np.array(segmentation.grid.shape) - 1)).all(axis=1)
    inner = inner.reshape(grid.shape)
    assert inner.mean() > 0.2 and 0.1 < found[inner].mean() < 0.9
    np.testing.assert_array_equal(found[inner], expected.get_fdata()[inner])
    beyond = ((at < -0.5) | (at > np.array(segmentation.grid.shape) - 0.5)).any(axis=1)
    assert beyond.any() and not found.ravel()[beyond].any()


def test_the_outer_half_of_the_outermost_voxels_is_inside():
    ones = Volume(np.ones((4, 4, 4), np.float32), Grid((4, 4, 4), np.diag([1, 1, 1, 1.0])))
    finer = ones.grid.resampled(0.25)
    assert resample_nearest(ones, finer).all()


def test_a_position_between_two_voxels_always_belongs_to_the_later():
    steps = Volume(np.arange(8.0).repeat(4).reshape(8, 2, 2), Grid((8, 2, 2), np.eye(4)))
    affine = np.diag([2, 1, 1, 1.0])
    for shift in (-1e-9, 0, 1e-9):
        affine[0, 3] = 0.5 + shift
        assert resample_nearest(steps, Grid((4, 2, 2), affine))[:, 0, 0].tolist() == [1, 3, 5, 7]


def test_larger_voxels_are_blurred_and_interpolated():
    """Against nibabel's filter and a plain spline, voxel by voxel."""
    affine = LAS @ np.diag([1, 0.5 / 0.8, 0.5 / 0.8, 1])
    volume = blobs((24, 40, 36), affine)
    grid = volume.grid.resampled(0.8)
    width = [0, np.sqrt(0.8**2 - 0.5**2), np.sqrt(0.8**2 - 0.5**2)]
    smooth = smooth_image(nib.Nifti1Image(volume.array, affine), width, mode="nearest")
    index = volume.grid.index(grid.centres()).T
    expected = map_coordinates(smooth.get_fdata(), index, order=3, mode="nearest")
    np.testing.assert_allclose(coarsen(volume, grid).ravel(), expected, atol=1e-3)


def test_nothing_overshoots_and_what_is_constant_stays():
    grid = Grid((20, 40, 40), np.diag([0.8, 0.5, 0.5, 1]))
    edge = np.zeros(grid.shape, np.float32)
    edge[:, 20:] = 1000
    found = coarsen(Volume(edge, grid), grid.resampled(0.8))
    assert found.min() >= 0 and found.max() <= 1000
    flat = coarsen(Volume(np.full(grid.shape, 7, np.float32), grid), grid.resampled(0.8))
    np.testing.assert_allclose(flat, 7, rtol=1e-6)


def test_what_is_finer_than_the_new_voxels_does_not_alias():
    """A wave of 1.3 mm, which voxels of 0.8 mm cannot hold, would show as one of 2.1 mm."""
    grid = Grid((4, 320, 4), np.diag([0.8, 0.5, 0.5, 1]))
    wave = np.sin(2 * np.pi * grid.centres()[:, 1] / 1.3).reshape(grid.shape).astype(np.float32)
    coarse = grid.resampled(0.8)
    plain = map_coordinates(wave, grid.index(coarse.centres()).T, order=3, mode="nearest").std()
    assert plain > 0.3 and coarsen(Volume(wave, grid), coarse).std() < 0.6 * plain


@pytest.mark.parametrize("view", [RPI, PSR, TILTED], ids=["flipped", "permuted", "tilted"])
@pytest.mark.parametrize("grid", [LAS, PSR, TILTED], ids=["level", "permuted", "tilted"])
def test_splines_are_those_of_scipy_on_every_pair_of_axes(view, grid):
    """Within the image and beyond its edges."""
    image = blobs((13, 21, 17), view)
    fine = Grid((26, 24, 25), grid - 1.3 * (np.arange(4) == 3))
    found = interpolate(image, fine)
    at = image.grid.index(fine.centres())
    assert (at < -0.6).any() and (at > np.array(image.grid.shape) + 0.5).any()
    expected = map_coordinates(image.array, at.T, order=3, mode="nearest").reshape(fine.shape)
    assert found.dtype == np.float32 and found.std() > 5
    np.testing.assert_allclose(found, expected, atol=1e-6 * image.array.max())


def test_axes_that_are_almost_parallel_are_not_taken_for_parallel():
    """By a tenth of a degree, which is half a voxel at the end of 300."""
    image = blobs((13, 300, 17), np.diag([1, 1, 1, 1.0]))
    turned = np.eye(4)
    angle = np.radians(0.1)
    turned[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    grid = Grid((13, 300, 17), turned)
    at = image.grid.index(grid.centres())
    expected = map_coordinates(image.array, at.T, order=3, mode="nearest").reshape(grid.shape)
    np.testing.assert_allclose(interpolate(image, grid), expected, atol=1e-6 * image.array.max())
    assert np.abs(expected - image.array).max() > 0.01 * image.array.max()
