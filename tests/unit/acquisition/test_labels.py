"""Labels between thick slices and isotropic grids, on shapes that are known everywhere."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cordinr.acquisition.forward import system_matrix
from cordinr.acquisition.labels import carry_labels, fraction_inside, most_filled
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.shape_interpolation import between_slices
from cordinr.acquisition.view import View
from cordinr.imaging.grid import Grid
from cordinr.imaging.resampling import resample_nearest
from cordinr.imaging.volume import Volume
from tests.helpers.scans import displacement

ISO = Grid((44, 46, 60), np.eye(4))
TUBE, BALL = 7, 300
VALUES = np.array([0, TUBE, BALL])
MOVED = displacement(ISO.centre, np.array([3, -2, 4.0]), np.array([2, -1.5, 1.0]))
STAYS = np.eye(4)
STACKS = [("S", 4, 4, 0), ("S", 3.3, 3, 12), ("S", 5, 4, 12), ("R", 4, 4, 12), ("R", 3.3, 3, 0)]


def shape(world):
    """A winding tube and a ball: the label at each position."""
    x, y, z = world.T
    label = np.zeros(len(world), int)
    in_tube = (x - 30 - 2 * np.sin(z / 14)) ** 2 + (y - 22) ** 2 < 5.5**2
    label[in_tube & (abs(z - 30) < 22)] = TUBE
    label[(x - 14) ** 2 + (y - 24) ** 2 + (z - 30) ** 2 < 9**2] = BALL
    return label


def drawn_on(axis, spacing, thickness, tilt, moved=MOVED, pixel=0.8):
    """What an expert draws on a stack: the label that fills most of a voxel, at 81 points of it."""
    across = "RAS".index(axis)
    others = [k for k in range(3) if k != across]
    turn = Rotation.from_rotvec(np.radians(tilt) * np.eye(3)[others[0]]).as_matrix()
    sizes = np.array([pixel, pixel, spacing])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.eye(3)[:, [*others, across]] * sizes
    count = np.floor(np.array(ISO.shape)[[*others, across]] / sizes + 2).astype(int)
    affine[:3, 3] = ISO.centre - affine[:3, :3] @ ((count - 1) / 2)
    grid, true = Grid(tuple(count.tolist()), affine), moved @ affine
    index = np.stack(np.unravel_index(np.arange(grid.size), grid.shape), -1)
    votes = np.zeros((3, grid.size), int)
    thirds = np.array([-1, 0, 1]) / 3
    for part in np.stack(np.meshgrid(thirds, thirds, np.arange(-4, 5) / 9), -1).reshape(-1, 3):
        at = index + part * [1, 1, thickness / spacing]
        votes += shape(at @ true[:3, :3].T + true[:3, 3]) == VALUES[:, None]
    array = VALUES[votes.argmax(axis=0)].reshape(grid.shape).astype(np.int16)
    return Volume(array, grid), (2, SliceProfile("box", thickness))


def isotropic(voxel=1.0):
    grid = ISO.resampled(voxel)
    return Volume(shape(grid.centres()).reshape(grid.shape).astype(np.int16), grid)


def dice(one, other, label):
    both = np.count_nonzero((one == label) & (other == label))
    return 2 * both / (np.count_nonzero(one == label) + np.count_nonzero(other == label))


@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_slices_become_the_shapes_that_they_show(stack):
    """Tilted, displaced, with gaps: better than by the nearest neighbour, for each label."""
    drawn, _ = drawn_on(*stack)
    truth = isotropic().array
    carried = carry_labels(drawn, ISO, None, np.linalg.inv(MOVED))
    assert carried.dtype == np.int16
    where = Volume(drawn.array, Grid(drawn.grid.shape, MOVED @ drawn.grid.affine))
    nearest = resample_nearest(where, ISO)
    for label in (TUBE, BALL):
        assert dice(carried, truth, label) > max(0.9, dice(nearest, truth, label) + 0.004)


def test_the_displacement_matters():
    drawn, _ = drawn_on("S", 4, 4, 0)
    assert dice(carry_labels(drawn, ISO, None, STAYS), isotropic().array, BALL) < 0.9


@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_an_isotropic_segmentation_becomes_what_is_drawn_on_the_slices(stack):
    drawn, slices = drawn_on(*stack)
    carried = carry_labels(isotropic(0.5), drawn.grid, slices, MOVED)
    for label in (TUBE, BALL):
        assert dice(carried, drawn.array, label) > 0.985


@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_there_and_back_again(stack):
    drawn, slices = drawn_on(*stack)
    carried = Volume(carry_labels(drawn, ISO, None, np.linalg.inv(MOVED)), ISO)
    again = carry_labels(carried, drawn.grid, slices, MOVED)
    for label in (TUBE, BALL):
        assert dice(again, drawn.array, label) > 0.95


@pytest.mark.parametrize("profile", ["box", "gaussian"])
def test_a_slice_voxel_gets_the_label_that_fills_most_of_it_by_the_forward_model(profile):
    truth = isotropic()
    affine = np.diag([1.6, 1.2, 4, 1])
    affine[:3, 3] = 0.3, 0.1, 6.2
    grid, slices = Grid((26, 36, 12), affine), (2, SliceProfile(profile, 4.0))
    view = View(Volume(np.zeros(grid.shape, np.float32), grid), *slices)
    matrix = system_matrix(view, truth.grid)
    filled = np.stack([matrix @ (truth.array.ravel() == value) for value in VALUES])
    first, second = np.sort(filled, axis=0)[:0:-1]
    clear = first - second > 0.35  # an edge between two points of four counts as at one of them
    assert (clear & (first < 0.999)).sum() > 100
    carried = carry_labels(truth, grid, slices, STAYS).ravel()
    np.testing.assert_array_equal(carried[clear], VALUES[filled.argmax(axis=0)][clear])


def test_a_stack_becomes_another_stack():
    axial, _ = drawn_on("S", 4, 4, 0)
    sagittal, slices = drawn_on("R", 3.3, 3, 12, STAYS)
    carried = carry_labels(axial, sagittal.grid, slices, np.linalg.inv(MOVED))
    for label in (TUBE, BALL):
        assert dice(carried, sagittal.array, label) > 0.93


def test_on_the_same_grid_nothing_changes():
    drawn, slices = drawn_on("S", 5, 4, 12)
    np.testing.assert_array_equal(carry_labels(drawn, drawn.grid, slices, STAYS), drawn.array)
    truth = isotropic()
    turned = Grid(ISO.shape[::-1], ISO.affine[:, [2, 1, 0, 3]])
    np.testing.assert_array_equal(carry_labels(truth, turned, None, STAYS), truth.array.T)


def test_coarser_voxels_keep_volume():
    fine = isotropic(0.5)
    coarse = carry_labels(fine, ISO.resampled(2), None, STAYS)
    for label in (TUBE, BALL):
        volume = np.count_nonzero(fine.array == label) / 8
        assert np.count_nonzero(coarse == label) * 8 == pytest.approx(volume, rel=0.03)


def test_nothing_is_invented_beyond_the_field_of_view():
    """The stack sees the middle of a tube, which goes on in all of its slices."""
    array = np.zeros((20, 20, 5), np.uint8)
    array[8:12, 8:12] = 1
    stack = Volume(array, Grid(array.shape, np.diag([1.0, 1, 4, 1])))
    affine = np.eye(4)
    affine[2, 3] = -12
    carried = carry_labels(stack, Grid((20, 20, 44), affine), None, STAYS)
    filled = np.flatnonzero(carried.any(axis=(0, 1))) - 12
    assert (filled[0], filled[-1]) == (-2, 17)  # 20 mm about slices at 0 to 16 mm
    np.testing.assert_array_equal(carried[..., filled + 12], array[..., [0]].repeat(20, 2))
    far = Grid((5, 5, 5), np.array([[1.0, 0, 0, 90], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    assert not carry_labels(stack, far, None, STAYS).any()
    assert fraction_inside(stack, far, STAYS) == 0
    assert fraction_inside(stack, Grid((20, 10, 20), np.eye(4)), STAYS) == pytest.approx(0.5)


def test_labels_that_follow_each_other_meet_midway_without_a_gap():
    """As levels of the cord do; each ends where one slice has it and the next has the other."""
    array = np.zeros((24, 24, 6), np.uint8)
    array[6:18, 6:18, :3], array[6:18, 6:18, 3:] = 1, 2
    fine = between_slices(Volume(array, Grid(array.shape, np.diag([1.0, 1, 4, 1]))), 2)
    assert (fine.array > 0).any(axis=2).sum() == (fine.array > 0).all(axis=2).sum() == 24**2
    numbers = fine.array[fine.array.shape[0] // 2, fine.array.shape[1] // 2]
    np.testing.assert_array_equal(numbers, np.repeat([1, 2], 12))


def test_what_ends_keeps_its_volume_whatever_lies_elsewhere_in_its_slice():
    array = np.zeros((60, 40, 5), np.uint8)
    array[3:13, 3:13, :3] = 1  # ends between slices 2 and 3
    array[50:58, 30:38] = 1  # goes on, far away
    array[16:30, 3:20] = 2  # a large neighbour that goes on
    fine = between_slices(Volume(array, Grid(array.shape, np.diag([1.0, 1, 4, 1]))), 2).array
    first = fine[:24, :24] == 1
    per_plane = first.sum(axis=(0, 1))
    assert per_plane[: 2 * 4 + 2].min() == per_plane[0] == 20**2  # up to the centre of slice 2
    assert (np.diff(per_plane[9:13]) < 0).all() and not per_plane[14:].any()  # before slice 3
    assert per_plane.sum() == pytest.approx(20**2 * 3 * 4, rel=0.03)


def test_a_label_within_another_has_the_shape_that_it_has_alone():
    """A small ball within a large one, whose slices would pull at it by how deep they are."""
    grid = Grid((40, 40, 10), np.diag([1.0, 1, 4, 1]))
    distance = np.linalg.norm(grid.centres() - grid.centre, axis=1).reshape(grid.shape)
    small, large = distance < 7, distance < 17
    alone = carry_labels(Volume(small.astype(np.uint8), grid), grid.resampled(1), None, STAYS)
    both = np.select([small, large], [2, 1], 0).astype(np.uint8)
    within = carry_labels(Volume(both, grid), grid.resampled(1), None, STAYS)
    assert dice(within == 2, alone == 1, True) > 0.99
    filled = carry_labels(Volume(large.astype(np.uint8), grid), grid.resampled(1), None, STAYS)
    assert dice(within > 0, filled > 0, True) > 0.999


def test_a_thin_tube_and_a_plane_of_one_pixel_are_kept():
    array = np.zeros((16, 16, 6), np.uint8)
    array[4, 4] = 1
    array[10, 2:14] = 2
    fine = between_slices(Volume(array, Grid(array.shape, np.diag([1.0, 1, 4, 1]))), 2).array
    assert np.count_nonzero(fine == 1) / 16 == 6
    assert np.count_nonzero(fine == 2) / 16 == 6 * 12


def test_many_labels_of_any_value():
    """A cube of 216 labels, negative ones among them, on slices and back."""
    values = np.r_[-100:0, 1:117].astype(np.int32) * 1000
    cubes = values.reshape(6, 6, 6).repeat(8, 0).repeat(8, 1).repeat(2, 2)
    drawn = Volume(cubes, Grid(cubes.shape, np.diag([1.0, 1, 4, 1])))
    fine = Grid((48, 48, 48), np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -1.5], [0, 0, 0, 1]]))
    carried = carry_labels(drawn, fine, None, STAYS)
    np.testing.assert_array_equal(carried, cubes.repeat(4, 2))
    again = carry_labels(Volume(carried, fine), drawn.grid, (2, SliceProfile("box", 4)), STAYS)
    np.testing.assert_array_equal(again, cubes)


def test_the_largest_weight_wins_as_counted_one_by_one():
    rng = np.random.default_rng(0)
    labels, weights = rng.integers(0, 4, (6, 200)).astype(np.uint8), rng.random(6)
    expected = [max(range(4), key=lambda each: weights[voxel == each].sum()) for voxel in labels.T]
    np.testing.assert_array_equal(most_filled(labels, weights), expected)
