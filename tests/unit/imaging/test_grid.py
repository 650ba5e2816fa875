"""Grids: what lies within, blocks of voxels, isotropic grids and parts of a grid."""

import numpy as np
import pytest
import torch

from cordinr.errors import InputError
from cordinr.imaging.grid import EDGE_TOLERANCE, Grid

TILTED = np.array(
    [[0.0, -0.9, 0.2, 10.0], [1.2, 0.0, 0.1, -20.0], [0.0, 0.3, 2.0, 5.0], [0.0, 0.0, 0.0, 1.0]]
)


def test_blocks_hold_every_voxel_once_and_in_order():
    grid = Grid((5, 4, 3), TILTED)
    blocks = list(grid.blocks(7))
    flat = np.concatenate([np.arange(grid.size)[block] for block, _ in blocks])
    assert flat.tolist() == list(range(60))
    places = np.argwhere(np.ones(grid.shape))
    assert np.allclose(np.concatenate([centres for _, centres in blocks]), grid.world(places))


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("margin", [0.0, 1.5])
def test_the_edge_of_a_voxel_is_inside_and_a_little_beyond_is_not(kind, axis, margin):
    grid = Grid((5, 4, 3), TILTED)
    margins = np.eye(3)[axis] * margin
    last = grid.shape[axis] - 0.5 + margin
    beyond = 2 * EDGE_TOLERANCE
    for position, expected in [
        (-0.5 - margin, True),
        (-0.5 - margin - beyond, False),
        (last, True),
        (last + beyond, False),
        (1.0, True),
    ]:
        index = np.ones((2, 1, 3))
        index[..., axis] = position
        inside = grid.contains(kind(index), margins)
        assert inside.shape == (2, 1) and bool(inside.all()) is expected, position


def test_a_part_of_a_grid_has_its_voxels_where_they_were():
    grid = Grid((5, 4, 3), TILTED, 2)
    part = grid.cropped(np.array([1, 0, 2]), np.array([3, 2, 1]))
    assert part.shape == (3, 2, 1) and part.space == 2
    assert np.allclose(part.world([0, 0, 0]), grid.world([1, 0, 2]))
    assert np.allclose(part.world([2, 1, 0]), grid.world([3, 1, 2]))


@pytest.mark.parametrize(
    ("rounding", "expected"), [("up", (4, 4, 4)), ("down", (3, 3, 4)), ("nearest", (3, 4, 4))]
)
def test_isotropic_grids_keep_the_centre_and_round_as_asked(rounding, expected):
    directions = Grid((2, 2, 2), TILTED).directions
    centre = np.array([3.0, -7.0, 11.0])
    grid = Grid.isotropic(centre, directions, np.array([6.2, 7.8, 8.0]), 2.0, rounding)
    assert grid.shape == expected
    assert np.allclose(grid.centre, centre)
    assert np.allclose(grid.voxel_sizes, 2.0) and np.allclose(grid.directions, directions)


PSR = np.array([[0, 0, 1.0, -20], [-1.0, 0, 0, 30], [0, 1.0, 0, -40], [0, 0, 0, 1]])


def test_axes_go_through_the_affine():
    grid = Grid((60, 55, 52), PSR)
    assert [grid.axis_along(letter) for letter in "RAS"] == [2, 0, 1]
    with pytest.raises(InputError, match="anatomical"):
        grid.axis_along("I")


def test_world_and_index_are_inverse_and_centred():
    grid = Grid((4, 6, 8), PSR @ np.diag([2, 3, 0.5, 1]))
    index = np.array([[1, 2, 3], [0.5, 4, 7]])
    np.testing.assert_allclose(grid.index(grid.world(index)), index)
    np.testing.assert_allclose(grid.corners.mean(axis=0), grid.centre)
    expected = np.array([grid.affine @ [i, j, k, 1] for i, j, k in np.ndindex(grid.shape)])
    np.testing.assert_allclose(grid.centres(), expected[:, :3])
    np.testing.assert_allclose(grid.centres(5, 9), expected[5:9, :3])


@pytest.mark.parametrize("voxel", [0.5, 0.8, 1.3])
def test_resampled_grid_covers_the_same_field_of_view(voxel):
    grid = Grid((10, 12, 9), PSR)
    finer = grid.resampled(voxel)
    np.testing.assert_allclose(finer.voxel_sizes, voxel)
    np.testing.assert_allclose(finer.centre, grid.centre)
    np.testing.assert_allclose(finer.directions, grid.directions)
    reach = np.array(finer.shape) * voxel - np.array(grid.shape)
    assert (reach > -1e-6).all() and (reach < voxel).all()
