"""The system matrix of a view."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cordinr.acquisition.forward import system_matrix, with_whole_slices
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from tests.helpers.support import blobs, two_views


def test_matrix_rows_sum_to_one_and_oblique_agrees_with_parallel():
    volume = blobs((24, 20, 16), np.eye(4))
    view = two_views(volume)[0]
    exact = system_matrix(view, volume.grid)
    np.testing.assert_allclose(np.asarray(exact.sum(axis=1)).ravel(), 1, rtol=1e-5)
    tilt = 2e-3  # radians: not parallel any more, yet nearly the same place
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
    tilted = Volume(view.volume.array, Grid(view.volume.grid.shape, turn @ view.volume.grid.affine))
    oblique = system_matrix(View(tilted, view.axis, view.profile), volume.grid)
    seen = np.diff(oblique.indptr) > 0
    assert seen.mean() > 0.8
    difference = (oblique @ volume.array.ravel() - exact @ volume.array.ravel())[seen]
    assert np.abs(difference).max() < 0.02 * volume.array.max()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_that_moved_are_where_they_are(axis):
    """Each is what a view of its own would show, at its true place."""
    volume = blobs(
        (20, 16, 24), np.array([[0, 1.0, 0, 3], [1, 0, 0, 4], [0, 0, 1, 5], [0, 0, 0, 1]])
    )
    view = acquire(volume, axis, SliceProfile("box", 4.0), 4.0)
    count = view.volume.grid.shape[axis]
    shifts = np.random.default_rng(axis).uniform(-1.5, 1.5, (count, 3))
    matrix = system_matrix(replace(view, shifts=shifts), volume.grid)
    found = np.moveaxis((matrix @ volume.array.ravel()).reshape(view.volume.grid.shape), axis, 0)
    for number, shift in enumerate(shifts):
        affine = view.volume.grid.affine.copy()
        affine[:3, 3] += shift
        grid = Grid(view.volume.grid.shape, affine)
        alone = system_matrix(replace(view, volume=Volume(view.volume.array, grid)), volume.grid)
        seen = (alone @ volume.array.ravel()).reshape(grid.shape)
        np.testing.assert_allclose(found[number], np.moveaxis(seen, axis, 0)[number], rtol=1e-4)


TURNED = np.array([[0, 0, 1.0, 3], [-1.0, 0, 0, 4], [0, 1.0, 0, 5], [0, 0, 0, 1]])


def gaussian_view(volume: Volume) -> View:
    return acquire(volume, 2, SliceProfile("gaussian", 4.0), 4.0)


def turned_view(volume: Volume) -> View:
    """Sagittal slices, turned by 20 degrees about the middle of the volume."""
    view = acquire(volume, 0, SliceProfile("box", 4.0), 4.0)
    turn = Rotation.from_euler("xyz", [0, 12, 20], degrees=True).as_matrix()
    affine = view.volume.grid.affine.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    middle = (np.array(view.volume.grid.shape) - 1) / 2
    affine[:3, 3] = volume.grid.centre - affine[:3, :3] @ middle
    return replace(view, volume=Volume(view.volume.array, Grid(view.volume.grid.shape, affine)))


def ends_of(view: View) -> np.ndarray:
    """(voxels, 8, 3): corners in world mm of what each voxel shows."""
    grid = view.volume.grid
    sides = grid.affine[:3, :3].copy()
    sides[:, view.axis] *= view.profile.extent / grid.voxel_sizes[view.axis]
    corners = np.array(list(np.ndindex(2, 2, 2))) - 0.5
    centres = np.concatenate([centres for _, centres in view.blocks()])
    return centres[:, None] + corners @ sides.T


@pytest.mark.parametrize("make", [gaussian_view, turned_view])
def test_a_grid_with_whole_slices_holds_them_and_nothing_more(make):
    volume = blobs((24, 20, 28), TURNED)
    grid = volume.grid.cropped(np.array([6, 5, 7]), np.array([12, 11, 13]))
    view = make(volume)
    larger, part = with_whole_slices([view], grid)
    np.testing.assert_allclose(larger.world([each.start for each in part]), grid.world(np.zeros(3)))
    assert [each.stop - each.start for each in part] == list(grid.shape)

    ends = grid.index(ends_of(view))
    overlap = np.minimum(ends.max(axis=1), np.array(grid.shape) - 0.5)
    overlap -= np.maximum(ends.min(axis=1), -0.5)
    corners = ends_of(view)[(overlap > 0.02).all(axis=1)].reshape(-1, 3)
    assert larger.contains(larger.index(corners)).all()
    for axis in np.flatnonzero(np.array(larger.shape) > grid.shape):
        for low in (0, 1):
            shape = np.array(larger.shape) - np.eye(3, dtype=int)[axis]
            smaller = larger.cropped(low * np.eye(3)[axis], shape)
            holds = smaller.contains(smaller.index(corners)).all()
            if holds:  # nothing was added on this side
                assert (part[axis].start == 0) if low else (part[axis].stop == larger.shape[axis])


def test_slices_that_were_not_measured_make_no_grid_larger():
    volume = blobs((12, 12, 28), np.eye(4))
    grid = volume.grid.cropped(np.array([0, 0, 6]), np.array([12, 12, 14]))
    view = gaussian_view(volume)
    assert with_whole_slices([view], grid)[0].shape > grid.shape
    unmeasured = replace(view, measured=np.zeros(view.volume.grid.shape, bool))
    assert with_whole_slices([unmeasured], grid)[0].matches(grid)


def test_whole_slices_of_whole_voxels_need_no_larger_grid():
    volume = blobs((24, 20, 16), np.eye(4))
    larger, part = with_whole_slices(two_views(volume), volume.grid)
    assert larger.matches(volume.grid)
    assert volume.array[part].shape == volume.grid.shape
