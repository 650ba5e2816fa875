"""Scans of a phantom like those of a patient: where they are, and what they measure."""

import numpy as np
import pytest

from cordinr.imaging.grid import Grid
from cordinr.phantom.acquired import STACKS, displaced
from cordinr.phantom.anatomy import Phantom
from cordinr.phantom.scan import sample


@pytest.fixture(scope="module")
def phantom():
    return Phantom.draw(1, seed=0)


def test_stacks_lie_as_they_are_described():
    sagittal, lower, upper = (stack.grid(0.8) for stack in STACKS)
    np.testing.assert_allclose(sagittal.directions, np.eye(3)[:, [1, 2, 0]])
    np.testing.assert_allclose(sagittal.voxel_sizes, [0.8, 0.8, 3.5])
    np.testing.assert_allclose(sagittal.centre, 0, atol=1e-9)
    np.testing.assert_allclose(lower.voxel_sizes, [0.64, 0.64, 3.8])
    np.testing.assert_allclose(lower.centre, [0, 0, -10], atol=1e-9)
    top, bottom = lower.corners[:, 2].max(), upper.corners[:, 2].min()
    assert 0 < top - bottom < 0.5 * 7 * 3.8, "the chunks overlap a little"


def test_a_displaced_grid_is_turned_about_its_middle_and_shifted():
    grid = STACKS[1].grid(1.0)
    shift, turn = np.array([1.0, -2.0, 0.5]), np.array([0.0, 0.0, 90.0])
    moved = displaced(grid, shift, turn)
    np.testing.assert_allclose(moved.centre, grid.centre + shift, atol=1e-9)
    np.testing.assert_allclose(moved.directions[:, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(moved.voxel_sizes, grid.voxel_sizes)


def test_a_slice_averages_over_its_thickness_and_not_over_the_gap(phantom):
    """Against thin slices: as many as fit into the thickness, of the same points."""
    grid = Grid((6, 6, 2), np.diag([1.0, 1.0, 4.0, 1.0]))
    slices = sample(phantom, grid, (1, 1, 6), (1.0, 1.0, 0.75))
    thin = []
    for height in -1.25 + 0.5 * np.arange(6):
        affine = np.diag([1.0, 1.0, 4.0, 1.0])
        affine[2, 3] = height
        thin.append(sample(phantom, Grid((6, 6, 2), affine), 1))
    np.testing.assert_allclose(slices, np.mean(thin, axis=0), rtol=1e-4, atol=0.02)
    whole = sample(phantom, grid, (1, 1, 6))
    assert np.abs(whole - slices).max() > 1
