"""A scan of the phantom: voxels, grids and noise."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from cordinr.imaging.grid import Grid
from cordinr.phantom.anatomy import CORD_SIGNAL, Phantom
from cordinr.phantom.scan import add_rician_noise, default_grid, sample


def grid_around(voxel_mm, shape, centre=(0.0, 0.0, 0.0)):
    """R-A-S+ grid of cubic voxels centred on `centre` mm."""
    extent = voxel_mm * np.asarray(shape)
    return Grid.isotropic(np.asarray(centre), np.eye(3), extent, voxel_mm, "nearest")


@pytest.fixture(scope="module")
def phantom():
    return Phantom.draw(0, 0)


def test_sample_follows_any_affine(phantom):
    """A P-S-R grid holds the R-A-S image with its axes permuted and flipped."""
    shape = (12, 30, 14)
    grid = grid_around(1.0, shape, (3.0, -5.0, 2.0))
    stored = (shape[1], shape[2], shape[0])
    to_ras = np.zeros((4, 4))
    to_ras[1, 0], to_ras[1, 3] = -1, shape[1] - 1
    to_ras[2, 1], to_ras[0, 2], to_ras[3, 3] = 1, 1, 1
    expected = sample(phantom, grid, supersample=2)[:, ::-1].transpose(1, 2, 0)
    turned = sample(phantom, Grid(stored, grid.affine @ to_ras), supersample=2)
    np.testing.assert_allclose(turned, expected, atol=0.05)
    assert np.abs(turned - expected[::-1]).max() > 100


def test_sample_averages_over_thick_slices(phantom):
    """A 5 mm slice is the mean of the five 1 mm slices in it."""
    grid = grid_around(1.0, (12, 30, 10))
    thick = grid.affine @ np.diag([1.0, 1.0, 5.0, 1.0])
    thick[2, 3] += 2.0
    slices = sample(phantom, grid, 4).reshape(12, 30, 2, 5).mean(axis=3)
    assert np.std(sample(phantom, Grid((12, 30, 2), thick), supersample=8) - slices) < 4


@pytest.mark.slow
def test_sample_keeps_memory_bounded(phantom):
    shape = (20, 60, 60)
    sample(phantom, Grid((2, 2, 2), np.eye(4)))
    tracemalloc.start()
    sample(phantom, grid_around(1.0, shape), supersample=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6  # the points of all voxels alone would be 47 MB


@pytest.mark.parametrize("voxel_mm, shape", [(1.0, (40, 70, 48)), (0.5, (80, 140, 96))])
def test_default_grid_is_centred_on_the_same_field(voxel_mm, shape):
    grid = default_grid(voxel_mm)
    assert grid.shape == shape
    ends = grid.affine @ np.array([[-0.5] * 3 + [1], [n - 0.5 for n in shape] + [1]]).T
    np.testing.assert_allclose(ends[:3], [[-20, 20], [-35, 35], [-24, 24]])


def test_rician_noise_has_the_stated_snr():
    rng = np.random.default_rng(6)
    snr, signal = 20.0, 500.0
    sigma = signal / snr
    air = add_rician_noise(np.zeros((60, 60, 60)), snr, rng, signal=signal)
    assert air.dtype == np.float32
    assert air.mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.01)
    assert air.std() == pytest.approx(sigma * np.sqrt(2 - np.pi / 2), rel=0.01)
    tissue = add_rician_noise(np.full((60, 60, 60), signal), snr, rng, signal=signal)
    assert signal / tissue.std() == pytest.approx(snr, rel=0.01)
    assert np.mean(tissue**2.0) == pytest.approx(signal**2 + 2 * sigma**2, rel=0.001)


def test_rician_noise_defaults_to_the_nominal_cord():
    air = add_rician_noise(np.zeros((40, 40, 40)), 10.0, np.random.default_rng(7))
    assert air.mean() == pytest.approx(CORD_SIGNAL / 10 * np.sqrt(np.pi / 2), rel=0.02)
