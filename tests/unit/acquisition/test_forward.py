"""The system matrix of a view."""

from dataclasses import replace

import numpy as np
import pytest

from cordinr.acquisition.forward import system_matrix
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
