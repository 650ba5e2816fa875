"""The classical methods against dense solves, finite differences and loops."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cordinr import baselines
from cordinr.acquisition import intensity_scale, system_matrix
from cordinr.baselines import METHODS, cubic_mean, gradient, reconstruct_baseline
from cordinr.errors import InputError
from cordinr.volume import Grid
from support import blobs, two_views


@pytest.fixture
def volume():
    return blobs((8, 8, 8), np.eye(4))


def test_gradient_is_the_difference_of_neighbours():
    grid = Grid((3, 4, 5), np.diag([1, 1, 2, 1.0]))
    image = np.random.default_rng(0).normal(size=grid.shape)
    slopes = (gradient(grid) @ image.ravel()).reshape(3, *grid.shape)
    unit = 2 ** (1 / 3)
    np.testing.assert_allclose(slopes[0][:-1], np.diff(image, axis=0) * unit, rtol=1e-5)
    np.testing.assert_allclose(slopes[2][..., :-1], np.diff(image, axis=2) * unit / 2, rtol=1e-5)
    assert not slopes[1][:, -1].any()


def test_tikhonov_solves_the_normal_equations(volume):
    views, weight = two_views(volume), 0.01
    scale = intensity_scale(views)
    matrix = np.vstack([system_matrix(view, volume.grid).toarray() for view in views])
    slices = np.concatenate([view.volume.array.ravel() for view in views])
    slope = gradient(volume.grid).toarray()
    normal = matrix.T @ matrix + weight * slope.T @ slope
    expected = np.linalg.solve(normal.astype(float), matrix.T @ slices)
    actual = reconstruct_baseline(views, volume.grid, "tikhonov", weight).ravel()
    np.testing.assert_allclose(actual, expected, atol=2e-3 * scale)


def test_total_variation_finds_the_minimum_of_its_objective(volume):
    views, weight = two_views(volume), 0.01
    scale = intensity_scale(views)
    matrix, slices = baselines._stacked(views, volume.grid, scale)
    slope = gradient(volume.grid)

    def objective(image):
        length = np.sqrt(((slope @ image).reshape(3, -1) ** 2).sum(0) + baselines.TV_SMOOTHING**2)
        return ((matrix @ image - slices) ** 2).sum() + weight * length.sum()

    found = reconstruct_baseline(views, volume.grid, "tv", weight).ravel() / scale
    least = objective(found)
    rng = np.random.default_rng(0)
    for size in (1e-1, 1e-2, 3e-3):
        for _ in range(20):
            assert objective(found + size * rng.normal(size=found.size)) > least
            assert (
                objective(found + size * rng.normal() * np.sign(slope.T @ (slope @ found))) > least
            )


def test_cubic_is_the_mean_of_spline_interpolations(volume):
    views = two_views(volume)
    expected = np.mean(
        [
            map_coordinates(
                view.volume.array,
                view.volume.grid.index(volume.grid.centres()).T,
                order=3,
                mode="nearest",
            )
            for view in views
        ],
        axis=0,
    )
    np.testing.assert_allclose(cubic_mean(views, volume.grid).ravel(), expected, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_keeps_units_and_place(method):
    affine = np.array([[0, 0, 1.0, -20], [-1.0, 0, 0, 30], [0, 1.0, 0, -40], [0, 0, 0, 1]])
    volume = blobs((16, 16, 12), affine)
    image = reconstruct_baseline(two_views(volume), volume.grid, method, 0.001)
    assert image.dtype == np.float32 and image.shape == volume.grid.shape
    assert np.corrcoef(image.ravel(), volume.array.ravel())[0, 1] > 0.85
    assert image.mean() == pytest.approx(volume.array.mean(), rel=0.03)


def test_an_unknown_method_is_refused(volume):
    with pytest.raises(InputError, match="not known"):
        reconstruct_baseline(two_views(volume), volume.grid, "magic")
