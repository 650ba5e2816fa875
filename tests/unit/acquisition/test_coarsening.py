"""Coarser grids and binned views for reconstructions that would be too large."""

from dataclasses import replace

import numpy as np
import pytest

from cordinr.acquisition.coarsening import bin_in_plane, coarsened
from cordinr.acquisition.forward import count_entries, system_matrix
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.view import View
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from tests.helpers.support import blobs, two_views


def turned(view: View, degrees: float) -> View:
    """The view turned about its middle in the plane of the first two axes."""
    angle, grid = np.radians(degrees), view.volume.grid
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = grid.centre - turn[:3, :3] @ grid.centre
    return replace(view, volume=Volume(view.volume.array, Grid(grid.shape, turn @ grid.affine)))


def test_binned_voxels_are_means_where_their_parts_were():
    view = two_views(blobs((24, 20, 17), np.eye(4)))[1]  # sagittal: 6 slices of 20 x 17
    binned = bin_in_plane(view, 2.4)
    array = view.volume.array
    assert binned.volume.grid.shape == (6, 10, 8)  # the last row along S fills no voxel
    np.testing.assert_allclose(binned.volume.array[2, 3, 4], array[2, 6:8, 8:10].mean(), rtol=1e-6)
    middle = view.volume.grid.world(np.array([2, 6.5, 8.5]))
    np.testing.assert_allclose(binned.volume.grid.world(np.array([2, 3, 4])), middle)
    assert binned.profile is view.profile and bin_in_plane(view, 1.9) is view


def test_a_binned_voxel_is_measured_where_all_of_its_parts_were():
    view = two_views(blobs((24, 20, 16), np.eye(4)))[1]
    measured = np.ones(view.volume.grid.shape, bool)
    measured[1, 4, 5] = False
    binned = bin_in_plane(replace(view, measured=measured), 2.0)
    assert np.argwhere(~binned.measured).tolist() == [[1, 2, 2]]


def test_what_is_small_enough_stays_as_it_is():
    volume = blobs((24, 20, 16), np.eye(4))
    views = two_views(volume)
    same, grid, factor = coarsened(views, volume.grid, 1e9, 1e9)
    assert factor == 1 and grid is volume.grid
    assert all(one is other for one, other in zip(views, same, strict=True))


def test_a_large_oblique_reconstruction_gets_coarser_voxels():
    volume = blobs((40, 40, 40), np.eye(4))
    views = [two_views(volume)[0], turned(two_views(volume)[1], 10)]
    entries = sum(system_matrix(view, volume.grid).nnz for view in views)
    binned, grid, factor = coarsened(views, volume.grid, entries / 10, 1e9)
    assert factor > 1 and grid.voxel_sizes == pytest.approx(factor)
    assert sum(system_matrix(view, grid).nnz for view in binned) < entries / 7
    extents = [np.array(each.shape) * each.voxel_sizes for each in (grid, volume.grid)]
    np.testing.assert_allclose(*extents, atol=factor)


def test_a_grid_of_too_many_voxels_gets_coarser_ones():
    volume = blobs((40, 40, 40), np.eye(4))
    _, grid, factor = coarsened(two_views(volume), volume.grid, 1e9, 20_000)
    assert factor == 1.5 and grid.size <= 20_000


@pytest.mark.parametrize("degrees", [0, 10])
def test_entries_are_counted_about_right(degrees):
    volume = blobs((40, 40, 40), np.eye(4))
    view = turned(two_views(volume)[1], degrees)
    exact = system_matrix(view, volume.grid).nnz
    assert 0.8 * exact < count_entries(view, volume.grid) < 1.2 * exact


@pytest.mark.parametrize(
    ("in_plane", "thickness"), [(1.0, 4.0), (2.0, 4.0), (2.6, 5.0), (0.6, 3.0)]
)
def test_oblique_rows_have_the_moments_of_voxel_and_slice(in_plane, thickness):
    """Their centre and their variance along each axis of the view, whatever the tilt."""
    grid = Grid((40, 40, 40), np.eye(4))
    angle = np.radians(23)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    tilt = np.array([[1, 0, 0], [0, np.cos(0.2), -np.sin(0.2)], [0, np.sin(0.2), np.cos(0.2)]])
    directions = turn @ tilt
    affine = np.eye(4)
    affine[:3, :3] = directions * [in_plane, in_plane, thickness]
    affine[:3, 3] = grid.centre + np.array([0.3, -0.2, 0.1])
    view = View(
        Volume(np.zeros((1, 1, 1), np.float32), Grid((1, 1, 1), affine)),
        2,
        SliceProfile("box", thickness),
    )
    row = system_matrix(view, grid).toarray().ravel()
    offsets = (grid.centres() - affine[:3, 3]) @ directions
    assert row.sum() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(row @ offsets, 0, atol=1e-4)
    expected = np.array([in_plane, in_plane, thickness]) ** 2 / 12
    # Linear interpolation alone has a variance of 1/6, which cannot be undone.
    np.testing.assert_allclose(row @ offsets**2, np.maximum(expected, 1 / 6), atol=0.1)
