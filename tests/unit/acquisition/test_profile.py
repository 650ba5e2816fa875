"""How much of a slice each place in it gives."""

import numpy as np
import pytest
from scipy.integrate import quad

from cordinr.acquisition.profile import SliceProfile


@pytest.mark.parametrize("shape", ["box", "gaussian"])
def test_voxel_weights_integrate_the_profile(shape):
    profile = SliceProfile(shape, 4.0)
    sigma = 4.0 / 2.3548

    def density(x):
        if shape == "box":
            return 0.25 * (abs(x) <= 2)
        return np.exp(-0.5 * (x / sigma) ** 2) / sigma / np.sqrt(2 * np.pi)

    for distance in (0.0, 1.1, -1.9, 3.2):
        bounds = distance - 0.4, distance + 0.4
        expected, _ = quad(density, *bounds, points=[-2, 2])
        assert profile.voxel_weights(np.array(distance), 0.8) == pytest.approx(expected, abs=1e-5)


def test_gaussian_has_its_thickness_at_half_maximum():
    profile = SliceProfile("gaussian", 4.0)
    narrow = profile.voxel_weights(np.array([0.0, 2.0]), 1e-3)
    assert narrow[1] / narrow[0] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("shape", ["box", "gaussian", "point"])
def test_profile_samples_reproduce_a_slice_of_a_smooth_function(shape):
    profile = SliceProfile(shape, 4.0)
    offsets, weights = profile.samples(9)
    assert weights.sum() == pytest.approx(1)
    fine = np.linspace(-12, 12, 48001)
    dense = profile.voxel_weights(fine, fine[1] - fine[0])
    expected = dense @ np.cos(fine / 4) / dense.sum()
    assert weights @ np.cos(offsets / 4) == pytest.approx(expected, abs=3e-3)
