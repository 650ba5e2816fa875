"""Stacks whose slices moved, against the same stacks that stayed, made by another simulator."""

import numpy as np
import pytest

from cordinr.classical.reconstruct import cubic_mean
from cordinr.classical.straightened import straightened
from tests.helpers.scans import body, scan

STACK = {"thickness": 3, "spacing": 3, "in_plane": 0.9}


def elsewhere(count: int) -> np.ndarray:
    return np.random.default_rng(2).uniform(-1.2, 1.2, (count, 3))


def together(count: int) -> np.ndarray:
    """Two slices in almost one place; nothing is known of that of the second."""
    shifts = elsewhere(count)
    shifts[6] = shifts[5] + [0, 0, -2.7]
    return shifts


def moved_by(shifts):
    view = scan(body(), "S", **STACK, shifts=shifts)
    own = shifts(view.volume.grid.shape[2])
    return type(view)(view.volume, view.axis, view.profile, shifts=own)


@pytest.fixture
def moved():
    return moved_by(elsewhere)


def rms(one, other):
    inner = (slice(6, -6),) * 3
    return float(np.sqrt(np.mean((one - other)[inner] ** 2)))


@pytest.mark.parametrize(("shifts", "most"), [(elsewhere, 1.2), (together, 1.9)])
def test_what_moved_is_interpolated_where_it_is(shifts, most):
    image, moved = body(), moved_by(shifts)
    still = scan(image, "S", **STACK)
    best = rms(cubic_mean([still], image.grid), image.array)
    ignored = type(moved)(moved.volume, moved.axis, moved.profile)
    blind = rms(cubic_mean([ignored], image.grid), image.array)
    found = rms(cubic_mean([moved], image.grid), image.array)
    assert found < most * best and found < 0.6 * blind


def test_it_covers_the_same_field_and_names_what_was_measured(moved):
    measured = np.ones(moved.volume.array.shape, bool)
    measured[:, :, 3] = False
    trust = np.linspace(0.5, 1, measured.shape[2])
    view = type(moved)(
        moved.volume, moved.axis, moved.profile, measured=measured, trust=trust, shifts=moved.shifts
    )
    straight = straightened(view)
    assert straight.shifts is None
    np.testing.assert_allclose(straight.volume.grid.corners, view.volume.grid.corners, atol=1e-6)
    heights = np.arange(measured.shape[2]) * 3 + moved.shifts[:, 2]
    planes = np.arange(straight.volume.grid.shape[2]) * 0.75 - 1.125
    nearest = np.abs(planes[:, None] - heights).argmin(axis=1)
    np.testing.assert_array_equal(straight.trust, trust[nearest])
    middle = straight.measured[20, 20]
    np.testing.assert_array_equal(middle, nearest != 3)


def test_what_stayed_is_returned_as_it_is():
    view = scan(body(), "S", **STACK)
    assert straightened(view) is view
