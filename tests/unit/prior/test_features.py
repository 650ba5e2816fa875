"""Channels: what they hold, and that no axis is preferred."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.prior.features import (
    CHANNELS,
    THICKNESS_UNIT,
    axis_channels,
    nearest_axis,
    tv_weight,
    view_features,
    view_kind,
)
from cordinr.prior.symmetries import SYMMETRIES
from tests.helpers.support import blobs, two_views, with_noise

VOLUME = blobs((20, 16, 24), np.eye(4))


def turned_volume(volume: Volume, symmetry) -> Volume:
    """The same image in the same world, its array turned."""
    array = np.ascontiguousarray(symmetry.turn(volume.array))
    affine = volume.grid.affine.copy()
    affine[:3, :3] = volume.grid.affine[:3, list(symmetry.order)]
    for axis in symmetry.mirrored:
        affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
        affine[:3, axis] *= -1
    return Volume(array, Grid(array.shape, affine))


def test_there_are_48_symmetries_and_the_first_changes_nothing():
    image = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    turned = {
        symmetry.turn(image).tobytes() + bytes(symmetry.turn(image).shape)
        for symmetry in SYMMETRIES
    }
    assert len(turned) == 48
    assert np.array_equal(SYMMETRIES[0].turn(image), image)


@pytest.mark.parametrize("number", [1, 9, 22, 35, 47])
def test_channels_turn_with_the_image(number):
    symmetry = SYMMETRIES[number]
    views = two_views(VOLUME)
    turned_grid = turned_volume(VOLUME, symmetry).grid
    variation = VOLUME.array + np.float32(3)
    expected = view_features(views, VOLUME.grid, variation=variation)
    found = view_features(
        views, turned_grid, variation=np.ascontiguousarray(symmetry.turn(variation))
    )
    np.testing.assert_allclose(found.channels, symmetry.turn_channels(expected.channels), atol=2e-3)
    assert found.spread == pytest.approx(expected.spread, rel=1e-5)


def test_channels_of_an_axis_are_those_of_its_views():
    views = two_views(VOLUME)
    features = view_features(views, VOLUME.grid)
    assert features.channels.shape == (CHANNELS, *VOLUME.grid.shape)
    axial = views[0]
    assert nearest_axis(axial, VOLUME.grid) == 2
    index = axial.volume.grid.index(VOLUME.grid.centres())
    inside = axial.volume.grid.contains(index)
    cubic = map_coordinates(axial.volume.array, index.T, order=3, mode="nearest")
    difference = (cubic - features.variation.ravel()) / features.spread * inside
    own = features.channels[axis_channels(2)].reshape(4, -1)
    np.testing.assert_allclose(own[0], difference, atol=1e-3)
    np.testing.assert_allclose(own[1], 4 / THICKNESS_UNIT * inside, rtol=1e-6)
    np.testing.assert_allclose(own[3], np.cos(2 * np.pi * index[:, 2]) * inside, atol=1e-5)
    assert not features.channels[axis_channels(1)].any()


def test_gaps_and_thickness_are_told_apart():
    profile = SliceProfile("box", 3.0)
    gapped = acquire(VOLUME, 2, profile, 4.5)
    assert view_kind(gapped, VOLUME.grid) == pytest.approx((3.0, 4.5))
    features = view_features([gapped], VOLUME.grid)
    own = features.channels[axis_channels(2)]
    assert own[1].max() == pytest.approx(3.0 / THICKNESS_UNIT)
    assert own[2].max() == pytest.approx(4.5 / THICKNESS_UNIT)


def test_channels_do_not_depend_on_the_unit_of_intensity():
    views = two_views(VOLUME)
    louder = [replace(v, volume=Volume(v.volume.array * 1000, v.volume.grid)) for v in views]
    variation = VOLUME.array + np.float32(5)
    one = view_features(views, VOLUME.grid, variation=variation)
    other = view_features(louder, VOLUME.grid, variation=variation * 1000)
    np.testing.assert_allclose(one.channels, other.channels, atol=1e-3)
    assert other.spread == pytest.approx(1000 * one.spread, rel=1e-3)


def test_what_was_not_measured_says_nothing():
    view = two_views(VOLUME)[0]
    measured = np.ones(view.volume.grid.shape, bool)
    measured[:10] = False
    hidden = View(
        Volume(np.where(measured, view.volume.array, 9999), view.volume.grid),
        view.axis,
        view.profile,
        measured=measured,
    )
    features = view_features([hidden], VOLUME.grid, variation=VOLUME.array)
    assert not features.channels[axis_channels(2), :9].any()
    assert features.channels[axis_channels(2), 11:].any()


def test_total_variation_is_stronger_where_views_are_noisy():
    views = two_views(VOLUME)
    noisy = with_noise(views, 10)
    assert tv_weight(noisy, 160) > tv_weight(views, 160) + 0.01
