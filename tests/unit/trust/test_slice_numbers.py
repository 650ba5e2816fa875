"""How two lists of intensities compare: against NumPy, slice by slice."""

import numpy as np
import pytest

from cordinr.trust.slice_numbers import MIN_VOXELS, SliceNumbers


def test_numbers_are_those_of_numpy():
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 5, 4000)
    expected = rng.gamma(2.0, 100.0, 4000)
    measured = (1 + 0.1 * numbers) * expected + rng.normal(0, 20, 4000)
    found = SliceNumbers.compare(measured, expected, numbers, 500.0, np.ones(6, bool))
    for k in range(5):
        ours, theirs = measured[numbers == k], expected[numbers == k]
        assert found.voxels[k] == len(ours)
        rms = np.sqrt(np.mean((ours - theirs) ** 2)) / 500
        assert found.difference[k] == pytest.approx(rms)
        assert found.correlation[k] == pytest.approx(np.corrcoef(ours, theirs)[0, 1])
        assert found.gain[k] == pytest.approx(1 + 0.1 * k, rel=0.02)
    assert found.total_correlation == pytest.approx(np.corrcoef(measured, expected)[0, 1])
    assert found.total_voxels == 4000
    assert found.voxels[5] == 0 and np.isnan(found.difference[5])


def test_nothing_is_said_of_few_voxels_or_of_constant_ones():
    few = SliceNumbers.compare(*np.ones((2, 5)), np.zeros(5, int), 1.0, np.ones(1, bool))
    assert np.isnan(few.total_difference) and np.isnan(few.correlation).all()
    many = MIN_VOXELS + 1
    flat = SliceNumbers.compare(
        np.full(many, 3.0), np.arange(many), np.zeros(many, int), 1.0, np.ones(1, bool)
    )
    assert np.isnan(flat.total_correlation) and flat.total_difference > 0
    none = SliceNumbers.compare(np.zeros(0), np.zeros(0), np.zeros(0, int), 1.0, np.ones(3, bool))
    assert none.total_voxels == 0 and np.isnan(none.difference).all()


def test_slices_that_are_not_counted_on_have_no_say_in_the_totals():
    expected = np.tile(np.arange(100.0), 2)
    measured = np.concatenate([np.arange(100.0), 2 * np.arange(100.0)])
    numbers = np.repeat([0, 1], 100)
    found = SliceNumbers.compare(measured, expected, numbers, 1.0, np.array([True, False]))
    assert found.total_gain == pytest.approx(1) and found.total_difference == pytest.approx(0)
    assert found.gain[1] == pytest.approx(2)
