"""The learned image: tiles, units, and views that the prior has never seen."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from cordinr.imaging.volume import Volume
from cordinr.prior.features import view_features
from cordinr.prior.predict import correct, predict_learned, tiles
from tests.helpers.priors import tiny_prior
from tests.helpers.support import blobs, two_views, with_noise

VOLUME = blobs((26, 17, 23), np.eye(4))
VIEWS = two_views(VOLUME)


def test_tiles_cover_a_volume_once():
    count = np.zeros((7, 5, 9), int)
    for seen, inner, kept in tiles(count.shape, 4, 2):
        count[kept] += 1
        np.testing.assert_array_equal(
            np.arange(2000).reshape(10, 10, 20)[seen][inner],
            np.arange(2000).reshape(10, 10, 20)[kept],
        )
    assert (count == 1).all()


def test_an_image_is_the_same_in_one_piece_and_in_tiles():
    features = view_features(VIEWS, VOLUME.grid, variation=VOLUME.array)
    network = tiny_prior().network
    whole, tiled = correct(features, network, tile=64), correct(features, network, tile=8)
    assert np.abs(whole[0]).max() > 1
    for one, other in zip(whole, tiled, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_the_image_is_total_variation_and_the_correction():
    prior = tiny_prior(calibration=2.0)
    features = view_features(VIEWS, VOLUME.grid)
    correction, error = correct(features, prior.network)
    found = predict_learned(VIEWS, VOLUME.grid, prior, consistent=False)
    np.testing.assert_allclose(found.image, features.variation + correction, rtol=1e-5)
    np.testing.assert_allclose(found.standard_error, 2 * error, rtol=1e-5)
    assert found.image.dtype == found.standard_error.dtype == np.float32


def test_it_is_in_the_units_of_the_views():
    louder = [replace(v, volume=Volume(v.volume.array * 1000, v.volume.grid)) for v in VIEWS]
    one = predict_learned(VIEWS, VOLUME.grid, tiny_prior(), variation=VOLUME.array)
    other = predict_learned(louder, VOLUME.grid, tiny_prior(), variation=VOLUME.array * 1000)
    np.testing.assert_allclose(other.image, one.image * 1000, rtol=1e-2)
    np.testing.assert_allclose(other.standard_error, one.standard_error * 1000, rtol=1e-2)


def test_known_views_are_not_warned_of(caplog):
    predict_learned(VIEWS, VOLUME.grid, tiny_prior(), variation=VOLUME.array)
    assert not caplog.records


@pytest.mark.parametrize("thickness", [2.0, 10.0])
def test_unknown_views_widen_the_error_and_are_said(thickness, caplog):
    views = two_views(VOLUME, thickness)
    prior = tiny_prior()
    wide = replace(prior, known=replace(prior.known, thickness=(1, 99), spacing=(1, 99)))
    known = predict_learned(views, VOLUME.grid, wide, variation=VOLUME.array, consistent=False)
    with caplog.at_level(logging.WARNING):
        strange = predict_learned(
            views, VOLUME.grid, prior, variation=VOLUME.array, consistent=False
        )
    factor = 1.5 if thickness == 2 else 10 / 6
    correction = known.image - VOLUME.array
    np.testing.assert_allclose(
        strange.image - VOLUME.array, correction / factor, rtol=1e-3, atol=1e-3
    )
    lost = correction - correction / factor
    expected = np.sqrt((factor * known.standard_error) ** 2 + lost**2)
    np.testing.assert_allclose(strange.standard_error, expected, rtol=1e-3)
    assert f"slices {thickness:g} voxels thick, and knows 3 to 6" in caplog.text


def test_noise_beyond_what_is_known_is_said(caplog):
    noisy = with_noise(VIEWS, 40)
    predict_learned(noisy, VOLUME.grid, tiny_prior(), variation=VOLUME.array)
    assert "noise of" in caplog.text
