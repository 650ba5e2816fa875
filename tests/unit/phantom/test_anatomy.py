"""Anatomy of the phantom: deterministic, analytic in mm, ordered as T2w images are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.phantom.anatomy import CORD_SIGNAL, Phantom
from cordinr.phantom.scan import add_rician_noise, cord_mask, default_grid, sample
from cordinr.phantom.signal import intensity

pytestmark = pytest.mark.slow

SUBJECTS = [(0, 0), (1, 0), (2, 5), (17, 3)]


def grid_around(voxel_mm, shape, centre=(0.0, 0.0, 0.0)):
    """R-A-S+ grid of cubic voxels centred on `centre` mm."""
    extent = voxel_mm * np.asarray(shape)
    return Grid.isotropic(np.asarray(centre), np.eye(3), extent, voxel_mm, "nearest")


@pytest.fixture(scope="module")
def phantom():
    return Phantom.draw(0, 0)


@pytest.fixture(scope="module")
def image(phantom):
    """Subject 0 on the default 1 mm grid, one point a voxel."""
    return sample(phantom, default_grid(1.0), supersample=1)


def test_equal_subject_and_seed_give_equal_values():
    points = np.random.default_rng(1).uniform(-30, 30, (4000, 3))
    first, second = Phantom.draw(4, 9), Phantom.draw(4, 9)
    np.testing.assert_array_equal(intensity(first, points), intensity(second, points))
    np.testing.assert_array_equal(first.cord(points), second.cord(points))


def test_another_subject_or_seed_is_another_anatomy(image):
    grid = default_grid(1.0)
    others = [sample(Phantom.draw(*who), grid, supersample=1) for who in ((1, 0), (0, 1))]
    for first, second in ((image, others[0]), (image, others[1]), others):
        assert np.std(first - second) > 0.3 * np.std(image)


def test_value_depends_on_the_position_alone(phantom):
    points = np.random.default_rng(2).uniform(-60, 60, (40_000, 3))
    whole = intensity(phantom, points)
    some = np.random.default_rng(3).permutation(len(points))[:500]
    np.testing.assert_allclose(intensity(phantom, points[some]), whole[some], atol=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_field_without_jumps(phantom, axis):
    """No painter's region cuts a tissue: what changes over 0.02 mm changes less over 0.002 mm."""
    coarse, fine = np.arange(-60, 60, 0.02), np.linspace(0, 0.02, 11)
    direction = np.eye(3)[axis]
    for start in np.random.default_rng(4).uniform(-1, 1, (40, 3)) * [24, 32, 60]:
        line = start * (1 - direction) + coarse[:, None] * direction
        steps = np.abs(np.diff(intensity(phantom, line)))
        steep = np.flatnonzero(steps > 20)
        close = intensity(phantom, (line[steep, None] + fine[:, None] * direction).reshape(-1, 3))
        largest = np.abs(np.diff(close.reshape(len(steep), len(fine)))).max(axis=1)
        assert (largest < 0.5 * steps[steep]).all(), line[steep[largest >= 0.5 * steps[steep]]]


def test_block_mean_of_fine_sampling_is_the_coarse_one(phantom):
    """2^3 voxels of 0.5 mm at 2 points per side are one of 1 mm at 4: the same points."""
    fine = sample(phantom, grid_around(0.5, (24, 48, 20)), supersample=2)
    coarse = sample(phantom, grid_around(1.0, (12, 24, 10)), supersample=4)
    blocks = fine.reshape(12, 2, 24, 2, 10, 2).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(blocks, coarse, atol=0.01)


def test_three_points_per_side_are_close_to_the_true_average(phantom):
    """Measured over the default field: rms 2.5 and greatest 44, on a scale of 1000."""
    grid = grid_around(1.0, (16, 40, 12))
    truth = sample(phantom, grid, supersample=7)
    error = sample(phantom, grid) - truth
    assert np.sqrt(np.mean(error**2)) < 4
    assert np.abs(error).max() < 60
    point = sample(phantom, grid, supersample=1) - truth
    assert np.sqrt(np.mean(point**2)) > 3 * np.sqrt(np.mean(error**2))


@pytest.mark.parametrize("subject, seed", SUBJECTS)
def test_cord_is_one_tube_of_plausible_area(subject, seed):
    grid = default_grid(1.0)
    mask = cord_mask(Phantom.draw(subject, seed), grid)
    assert mask.dtype == np.uint8
    assert ndimage.label(mask)[1] == 1
    area = mask.sum(axis=(0, 1))
    assert area.min() >= 50
    assert area.max() <= 110
    assert mask[20, 35, 30] == 1


@pytest.mark.parametrize("subject, seed", SUBJECTS)
def test_anatomical_order_of_signals(subject, seed):
    """Means over places known from the anatomy, not from the painters: T2w contrast and air."""
    phantom = Phantom.draw(subject, seed)
    points = np.random.default_rng(5).uniform(-1, 1, (300_000, 3)) * [20, 36, 30]
    signal = intensity(phantom, points)
    u, v, s = phantom.frame(points)
    wide, deep = phantom.cord_half
    sac, shift = phantom.sac_half, phantom.sac_shift
    in_sac = np.hypot(u / sac[0], (v - shift) / sac[1]) < 0.9
    means = [
        signal[where].mean()
        for where in (
            in_sac & (np.hypot(u / wide, v / deep) > 1.25),
            (v > 1.5 - phantom.skin_depth) & (v < 4 - phantom.skin_depth) & (np.abs(u) < 2),
            (np.abs(np.abs(u) / wide - 1.9 / 6.5) < 0.06) & (np.abs(v / deep - 0.2) < 0.1),
            (np.hypot(u / wide, v / deep) < 0.9) & (np.abs(u) / wide > 0.65),
            (np.abs(u) > 8) & (np.abs(u) < 16) & (v < -13) & (v > -18),
            v < -phantom.skin_depth - 1,
        )
    ]
    assert (np.diff(means) < 0).all(), means
    assert means[0] > 800
    assert means[-1] == 0
    # sign of the anatomy: discs and bodies in front (+y), skin and air behind (-y)
    nucleus = np.abs(u) < 3
    nucleus &= np.abs(v - phantom.canal_front - phantom.body_half[1]) < 3
    place = (s + phantom.disc_tilt * (v - phantom.canal_front - phantom.body_half[1])) / (
        phantom.spacing
    ) + phantom.level_phase
    from_body = np.abs(place - np.rint(place)) * phantom.spacing
    in_disc = signal[nucleus & (from_body > phantom.spacing / 2 - 1)]
    endplate = np.abs(from_body - (phantom.spacing - phantom.disc_height) / 2) < 0.4
    assert in_disc.mean() > 1.5 * signal[nucleus & endplate].mean()


def test_nominal_cord_signal_is_that_of_the_cohort():
    grid = default_grid(1.0)
    cords = []
    for subject in range(12):
        phantom = Phantom.draw(subject, 0)
        points = grid.world(np.argwhere(cord_mask(phantom, grid)))
        cords.append(intensity(phantom, points).mean())
    assert np.mean(cords) == pytest.approx(CORD_SIGNAL, rel=0.03)


def test_default_field_shows_air_behind_the_skin(image):
    assert (image[:, 0] == 0).all()
    assert (image[:, 12] > 0).all()


def test_bad_arguments_are_named(phantom):
    with pytest.raises(InputError, match="supersample"):
        sample(phantom, default_grid(20.0), supersample=0)
    with pytest.raises(InputError, match="SNR"):
        add_rician_noise(np.zeros(3), 0.0, np.random.default_rng(0))
    with pytest.raises(InputError, match=r"\(N, 3\)"):
        intensity(phantom, np.zeros((3, 2, 2)))
    with pytest.raises(InputError, match="positive"):
        default_grid(0.0)
