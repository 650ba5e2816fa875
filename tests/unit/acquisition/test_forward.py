"""The system matrix of a view."""

import numpy as np

from cordinr.acquisition.forward import system_matrix
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
