"""What a scan should have measured: against the system matrix, and against the true scan."""

from dataclasses import replace

import numpy as np
import pytest

from cordinr.acquisition.forward import system_matrix
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.trust.prediction import predict_slices
from tests.helpers.scans import body, displacement, scan


def turned(view: View, degrees: float) -> View:
    matrix = displacement(
        view.volume.grid.centre, degrees * np.array([0.6, -0.5, 0.3]), np.zeros(3)
    )
    grid = Grid(view.volume.grid.shape, matrix @ view.volume.grid.affine)
    return replace(view, volume=Volume(view.volume.array, grid))


@pytest.mark.parametrize("degrees", [0.0, 7.0])
@pytest.mark.parametrize("profile", ["box", "gaussian", "point"])
def test_it_is_the_system_matrix_times_the_image(degrees, profile):
    image = body()
    # Linear interpolation goes on beyond the outermost voxels as it is there.
    pad = 9 if degrees else 0
    margin = image.grid.cropped(np.full(3, -pad), np.array(image.grid.shape) + 2 * pad)
    around = Volume(np.pad(image.array, pad, mode="edge"), margin)
    view = turned(acquire(image, 2, SliceProfile(profile, 4.0), 4.0), degrees)
    predicted = predict_slices(view, image)
    known = np.isfinite(predicted)
    exact = (system_matrix(view, around.grid) @ around.array.ravel()).reshape(predicted.shape)
    assert known.mean() > 0.5
    np.testing.assert_allclose(predicted[known], exact[known], atol=0.05)


def some_elsewhere(count: int) -> np.ndarray:
    """(slices, 3) mm; every third slice stays."""
    shifts = np.random.default_rng(0).uniform(-1.5, 1.5, (count, 3))
    shifts[::3] = 0
    return shifts


@pytest.mark.parametrize("tilt", [0, 9])
@pytest.mark.parametrize("moved", [False, True])
def test_scans_that_another_simulator_made_are_predicted(tilt, moved):
    image = body()
    shifts = some_elsewhere if moved else None
    view = scan(image, "R", thickness=3, spacing=3.6, in_plane=0.7, tilt=tilt, shifts=shifts)
    if moved:
        view = replace(view, shifts=some_elsewhere(view.volume.grid.shape[2]))
    predicted = predict_slices(view, image)
    known = np.isfinite(predicted)
    error = predicted[known] - view.volume.array[known]
    assert known.mean() > 0.6
    assert np.sqrt(np.mean(error**2)) < 0.013 * image.array.max()


@pytest.mark.parametrize("as_function", [True, False])
@pytest.mark.parametrize("degrees", [0.0, 5.0])
def test_what_the_image_does_not_cover_is_not_predicted(as_function, degrees):
    """The image holds zeros above a height, which say nothing."""
    image, height = body(), 30.2
    covered = np.broadcast_to(np.arange(image.grid.shape[2]) <= height, image.grid.shape)
    empty = Volume(np.where(covered, image.array, 0), image.grid)
    view = turned(acquire(image, 2, SliceProfile("box", 4.0), 4.0), degrees)
    where = (lambda world: world[..., 2] <= height) if as_function else covered
    predicted = predict_slices(view, empty, where)
    truth = predict_slices(view, image)
    known = np.isfinite(predicted)
    np.testing.assert_allclose(predicted[known], truth[known], rtol=1e-5)
    top = view.volume.grid.centres()[:, 2].reshape(predicted.shape) + 2
    assert not known[top > height + 0.5].any()
    assert known[(top < height - 3) & np.isfinite(truth)].all()


def test_slices_that_reach_beyond_the_image_are_not_predicted():
    image = body()
    view = acquire(image, 2, SliceProfile("box", 4.0), 4.0)
    affine = view.volume.grid.affine.copy()
    affine[2, 3] -= 3.0
    moved = replace(view, volume=Volume(view.volume.array, Grid(view.volume.grid.shape, affine)))
    known = np.isfinite(predict_slices(moved, image))
    assert not known[:, :, 0].any() and known[:, :, 1:].all()
