"""Agreement with views against a dense solution."""

import numpy as np
import pytest

from cordinr.acquisition.forward import system_matrix
from cordinr.acquisition.view import intensity_scale
from cordinr.prior import consistency
from cordinr.prior.consistency import agree
from tests.helpers.support import blobs, two_views

VOLUME = blobs((8, 6, 8), np.eye(4))
VIEWS = two_views(VOLUME)
SCALE = intensity_scale(VIEWS)


def test_it_is_the_minimum_of_what_it_minimises(monkeypatch):
    monkeypatch.setattr(consistency, "TOLERANCE", 1e-7)
    rng = np.random.default_rng(0)
    image = (VOLUME.array + rng.normal(0, 5, VOLUME.array.shape)).astype(np.float32)
    error = rng.uniform(2, 8, image.shape).astype(np.float32)
    found = agree(VIEWS, VOLUME.grid, image, error, SCALE)
    matrix = np.concatenate([system_matrix(view, VOLUME.grid).toarray() for view in VIEWS])
    values = np.concatenate([view.volume.array.ravel() for view in VIEWS])
    noise = consistency.MIN_NOISE * SCALE
    residual = values - matrix @ image.ravel()
    believed = (matrix**2) @ error.ravel() ** 2
    part = min(1, (np.sum(residual**2) / noise**2 - len(values)) / (believed.sum() / noise**2))
    weights = 1 / (part * error.ravel() ** 2)
    normal = matrix.T @ matrix / noise**2 + np.diag(weights)
    wanted = matrix.T @ values / noise**2 + weights * image.ravel()
    expected = np.linalg.solve(normal, wanted).reshape(image.shape)
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert np.abs(expected - image).max() > 1


def test_it_brings_an_image_to_its_views():
    image = VOLUME.array + 10
    found = agree(VIEWS, VOLUME.grid, image, np.full_like(image, 10), SCALE)
    assert np.abs(found - VOLUME.array).mean() < 1


def test_an_image_that_explains_the_views_stays():
    found = agree(VIEWS, VOLUME.grid, VOLUME.array, np.full_like(VOLUME.array, 50), SCALE)
    np.testing.assert_allclose(found, VOLUME.array, rtol=1e-5)


@pytest.mark.parametrize("trusted", [0.0, 1e-3])
def test_slices_that_are_not_trusted_count_little(trusted):
    from dataclasses import replace

    from cordinr.imaging.volume import Volume

    wrong = VIEWS[0].volume.array.copy()
    wrong[:, :, 0] += 500
    trust = np.ones(VIEWS[0].volume.grid.shape[2])
    trust[0] = trusted
    views = [replace(VIEWS[0], volume=Volume(wrong, VIEWS[0].volume.grid), trust=trust), VIEWS[1]]
    image = VOLUME.array + 2
    found = agree(views, VOLUME.grid, image, np.full_like(image, 2), SCALE)
    assert np.abs(found - VOLUME.array).max() < 30
