"""What a prior learns from."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.classical.interpolation import matched
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.prior import examples as module
from cordinr.prior import random_views
from cordinr.prior.examples import make_example, make_examples
from cordinr.prior.features import CHANNELS
from cordinr.prior.random_views import scan, simulate_views
from tests.helpers.priors import examples, reference
from tests.helpers.support import blobs


def same(one, other) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("channels", "target", "counts", "kinds", "noise", "person")
    )


def test_examples_do_not_depend_on_the_others():
    alone = make_examples([reference("sub-02")], 2, 0)
    of_both = [each for each in examples() if each.person == "sub-02"]
    assert len(of_both) == len(alone) == 2
    assert all(map(same, alone, of_both))
    assert not same(*alone)


def test_another_seed_gives_other_examples():
    assert not same(
        make_example(reference("sub-01"), 0, 0), make_example(reference("sub-01"), 0, 1)
    )


def test_processes_give_the_same_examples():
    assert all(
        map(
            same,
            make_examples([reference("sub-01")], 2, 0, workers=2),
            [e for e in examples() if e.person == "sub-01"],
        )
    )


def test_total_variation_and_target_make_the_reference(monkeypatch):
    monkeypatch.setattr(module, "PART_PLAIN", 1.0)
    whole = reference("sub-01")
    example = make_example(whole, 0, 0)
    # Of a plain example: the image divided by the scale, less total variation, over the spread.
    image = whole.volume.array
    variation = example.channels[0].astype(float)
    shape = (image.size, 3)
    columns = np.stack(
        [variation.ravel(), example.target.ravel().astype(float), np.ones(image.size)], 1
    )
    assert columns.shape == shape
    factors, *_ = np.linalg.lstsq(columns, image.ravel(), rcond=None)
    np.testing.assert_allclose(columns @ factors, image.ravel(), atol=0.3)


def test_kinds_of_views_vary_within_their_bounds():
    rng = np.random.default_rng(0)
    volume = blobs((30, 30, 30), np.eye(4))
    drawn = [simulate_views(volume, rng) for _ in range(60)]
    assert {len(views) for views in drawn} == {1, 2, 3}
    thickness = np.array([view.profile.thickness for views in drawn for view in views])
    assert thickness.min() >= 3 and thickness.max() <= 6 and np.ptp(thickness) > 2
    assert {view.profile.shape for views in drawn for view in views} == {"box", "gaussian"}
    tilted = [v for views in drawn for v in views if np.abs(v.normal).max() < 0.999]
    gapped = [v for views in drawn for v in views if v.spacing > v.profile.thickness + 0.1]
    assert 3 < len(tilted) < 30 and len(gapped) > 10
    directions = {int(np.abs(v.normal).argmax()) for views in drawn for v in views}
    assert directions == {0, 1, 2}


def test_a_scan_along_the_grid_is_the_one_of_the_simulator():
    volume = blobs((20, 20, 20), np.eye(4))
    profile = SliceProfile("box", 4.0)
    expected = acquire(volume, 1, profile, 4.0)
    found = scan(volume, expected.volume.grid, 1, profile)
    assert found.measured is None
    np.testing.assert_array_equal(found.volume.array, expected.volume.array)


def test_a_tilted_scan_shows_the_tilted_slices():
    volume = blobs((40, 40, 40), np.diag([0.5, 0.5, 0.5, 1]))
    plain = acquire(volume, 2, SliceProfile("box", 2.0), 2.0).volume.grid
    turned = random_views._turned(plain, np.random.default_rng(3))
    found = scan(volume, turned, 2, SliceProfile("box", 2.0))
    assert found.measured is not None and 0.3 < found.measured.mean() < 1
    # Average of points along the normal, in the middle of the volume.
    along = (np.arange(40) + 0.5) / 40 * 2 - 1
    points = turned.centres()[:, None] + along[:, None] * turned.directions[:, 2]
    index = volume.grid.index(points.reshape(-1, 3))
    expected = map_coordinates(volume.array, index.T, order=3, mode="nearest")
    expected = expected.reshape(-1, 40).mean(axis=1).reshape(turned.shape)
    inner = found.measured & volume.grid.contains(
        volume.grid.index(turned.centres()), (-4,) * 3
    ).reshape(turned.shape)
    assert inner.sum() > 100
    assert np.abs(found.volume.array - expected)[inner].max() < 1.5
    # The system matrix made its voxels, so that nothing is to be read from them.
    assert (
        matched([found, acquire(volume, 1, SliceProfile("box", 2.0), 2.0)], volume.grid)[0] is found
    )


def test_larger_voxels_cover_the_same_field():
    grid = Grid((20, 20, 5), np.diag([1.0, 1, 4, 1]))
    larger = random_views._with_larger_voxels(grid, 2, 1.5)
    assert larger.shape == (13, 13, 5)
    np.testing.assert_allclose(larger.voxel_sizes, [1.5, 1.5, 4])
    np.testing.assert_allclose(larger.centre, grid.centre)


def test_a_contrast_keeps_air_dark():
    rng = np.random.default_rng(0)
    image = np.array([0.0, 10, 500, 1000], np.float32).reshape(1, 1, 4)
    for _ in range(20):
        assert module._other_contrast(image, rng)[0, 0, 0] == 0


def test_channels_are_finite_and_of_moderate_size():
    for example in examples():
        assert example.channels.shape[0] == CHANNELS
        assert np.isfinite(example.channels).all() and np.abs(example.channels).max() < 60
        assert example.counts.any()


def test_a_small_reference_is_refused():
    with pytest.raises(InputError, match="sub-01: has 8 voxels along an axis"):
        make_example(reference("sub-01", 8), 0, 0)
