"""Views between the voxels of a grid: how sharp they are is read from them, and nothing explodes.

The views here are sampled by splines or from formulas, not by the forward model that is tested.
"""

from dataclasses import replace

import numpy as np
import pytest
import scipy
from scipy.spatial.transform import Rotation

from cordinr.acquisition.coarsening import bin_in_plane
from cordinr.acquisition.forward import system_matrix
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.classical.interpolation import (
    around,
    is_centred,
    lost_by_interpolation,
    matched,
)
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.classical.straightened import straightened
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.prior.predict import predict_learned
from cordinr.prior.shipped import shipped_prior

SHAPE = (30, 32, 30)
CENTRE = (np.array(SHAPE) - 1) / 2


def anatomy(world):
    """A tube within a body with fine detail, at (n, 3) mm around the middle of the grid."""
    x, y, z = world.T
    bent = x - 1.5 * np.sin(z / 6)
    radius = np.hypot(bent, y)
    ring = 300 * np.exp(-(((radius - 6) / 1.3) ** 2)) + 150 * (radius < 4.5)
    body = 120 + 40 * np.sin(x / 1.7) * np.sin(y / 1.9) * np.sin(z / 2.3)
    return np.where(radius < 8, ring, body)


VOLUME = Volume(
    anatomy(np.argwhere(np.ones(SHAPE)) - CENTRE).reshape(SHAPE).astype(np.float32),
    Grid(SHAPE, np.eye(4)),
)


def stack(degrees=0.0, shift=0.0):
    """The grid of 4 mm slices across the first axis, turned about its middle and shifted."""
    shape = (SHAPE[0] // 4, *SHAPE[1:])
    affine = np.diag([4.0, 1.0, 1.0, 1.0])
    turn = Rotation.from_rotvec(np.radians(degrees) * np.array([0.1, 0.7, 0.7])).as_matrix()
    affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, 3] = CENTRE - affine[:3, :3] @ ((np.array(shape) - 1) / 2) + [0, shift, shift]
    return Grid(shape, affine)


def scanned(grid, order, axis=0):
    """A view of the volume on a grid, by splines of an order at 24 points across 4 mm slices."""
    array = scipy.ndimage.spline_filter(VOLUME.array.astype(float), mode="mirror")
    array = array if order == 3 else VOLUME.array.astype(float)
    total, within = np.zeros(grid.size), np.zeros(grid.size)
    for part in (np.arange(24) + 0.5) / 24 - 0.5:
        index = VOLUME.grid.index(grid.centres() + part * 4.0 * grid.directions[:, axis])
        total += (
            scipy.ndimage.map_coordinates(
                array, index.T, order=order, mode="mirror", prefilter=False
            )
            / 24
        )
        within += VOLUME.grid.contains(index) / 24
    volume = Volume(total.reshape(grid.shape).astype(np.float32), grid)
    measured = (within > 0.75).reshape(grid.shape)
    return View(volume, axis, SliceProfile("box", 4.0), measured=measured)


def level():
    return acquire(VOLUME, 2, SliceProfile("box", 5.0), 5.0)


def error(image):
    """Root mean square error over the middle, in percent of the intensities."""
    inner = (slice(4, -4),) * 3
    return 100 * np.sqrt(np.mean((image - VOLUME.array)[inner] ** 2)) / VOLUME.array.max()


def part_without_blur(before, after):
    """What was taken from a view, as a part of what interpolation loses."""
    taken = before.volume.array - after.volume.array
    return float((taken * after.lost).sum() / (after.lost**2).sum())


@pytest.mark.parametrize(("degrees", "shift"), [(10, 0.0), (0, 0.5)])
def test_the_sharpness_of_a_view_is_read_from_it(degrees, shift):
    grid = stack(degrees, shift)
    for order, least, most in ((3, 0.8, 1.0), (1, 0.0, 0.2)):
        views = [level(), scanned(grid, order)]
        found = matched(views, VOLUME.grid)
        assert found[0] is views[0]
        assert least <= part_without_blur(views[1], found[1]) <= most
        np.testing.assert_array_equal(found[1].sharp, found[1].volume.array + found[1].lost)
        assert not found[1].lost[~views[1].measured].any()


@pytest.mark.parametrize(("degrees", "shift"), [(10, 0.0), (0, 0.5)])
def test_matched_views_are_nearer_to_what_the_matrix_gives(degrees, shift):
    view = scanned(stack(degrees, shift), 3)
    matrix = system_matrix(view, VOLUME.grid)
    seen = (np.diff(matrix.indptr) > 0).reshape(view.measured.shape) & view.measured
    exact = (matrix @ VOLUME.array.ravel()).reshape(seen.shape)
    after = matched([level(), view], VOLUME.grid)[1]

    def wrong(each):
        return np.sqrt(np.mean((each.volume.array - exact)[seen] ** 2))

    assert wrong(after) < 0.6 * wrong(view)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("degrees", [4, 12, 20])
def test_a_tilted_view_does_not_spoil_the_learned_image(degrees, order):
    """Splines made it three times as wrong as total variation while the rows were believed."""
    views = [level(), scanned(stack(degrees), order)]
    learned = predict_learned(views, VOLUME.grid, shipped_prior())
    baseline = error(reconstruct_baseline(views, VOLUME.grid, "tv", 0.004))
    assert error(learned.image) < 1.1 * baseline


def test_a_view_of_the_object_itself_does_not_spoil_the_learned_image():
    """Its edges lie within voxels, which no interpolation of voxels explains."""
    grid = stack(12)
    offsets = (np.arange(12) + 0.5) / 12 - 0.5
    total = sum(
        anatomy(grid.centres() - CENTRE + 4.0 * part * grid.directions[:, 0]) for part in offsets
    )
    volume = Volume((total / 12).reshape(grid.shape).astype(np.float32), grid)
    measured = scanned(grid, 1).measured
    view = View(volume, 0, SliceProfile("box", 4.0), measured=measured)
    found = matched([level(), view], VOLUME.grid)[1]
    usual = matched([level(), scanned(grid, 3)], VOLUME.grid)[1]
    assert found.interpolation_error.mean() > 3 * usual.interpolation_error.mean()
    learned = predict_learned([level(), view], VOLUME.grid, shipped_prior())
    baseline = error(reconstruct_baseline([level(), view], VOLUME.grid, "tv", 0.004))
    assert error(learned.image) < 1.3 * baseline


def test_views_on_the_grid_stay_what_they_are():
    views = [level(), acquire(VOLUME, 0, SliceProfile("box", 3.5), 3.5)]
    assert all(is_centred(view, VOLUME.grid) for view in views)
    assert matched(views, VOLUME.grid) == views


def test_larger_voxels_of_whole_multiples_are_on_the_grid_and_others_are_not():
    for size, centred in ((2.0, True), (1.5, False)):
        affine = np.diag([4.0, size, size, 1.0])
        affine[:3, 3] = [1.5, (size - 1) / 2, (size - 1) / 2]
        volume = Volume(np.zeros((7, 10, 10), np.float32), Grid((7, 10, 10), affine))
        assert is_centred(View(volume, 0, SliceProfile("box", 4.0)), VOLUME.grid) == centred


def test_views_are_matched_once_and_not_where_they_contradict_each_other():
    views = [level(), scanned(stack(10), 3)]
    once = matched(views, VOLUME.grid)
    assert matched(once, VOLUME.grid) == once
    doubted = [replace(view, disagreement=0.2) for view in views]
    assert matched(doubted, VOLUME.grid) == doubted


def test_larger_voxels_of_a_tilted_view_are_read_at_the_points_of_the_matrix():
    tilted = stack(10)
    affine = tilted.affine.copy()
    affine[:3, 1:3] *= 1.5
    grid = Grid((tilted.shape[0], 20, 20), affine)
    grid.affine[:3, 3] = CENTRE - affine[:3, :3] @ ((np.array(grid.shape) - 1) / 2)
    view = scanned(grid, 3)
    matrix = system_matrix(view, VOLUME.grid)
    seen = (np.diff(matrix.indptr) > 0).reshape(grid.shape) & view.measured
    exact = (matrix @ VOLUME.array.ravel()).reshape(grid.shape)
    lost = lost_by_interpolation(view, VOLUME.grid, VOLUME.array, seen.ravel())
    apart = np.corrcoef((view.volume.array - exact)[seen], lost[seen])[0, 1]
    assert apart > 0.5


def test_a_slice_that_is_not_trusted_says_nothing_of_the_others():
    view = scanned(stack(10), 3)
    array, trust = view.volume.array.copy(), np.ones(view.volume.grid.shape[0])
    array[3] *= 1.5
    trust[3] = 0.1
    spoilt = replace(view, volume=Volume(array, view.volume.grid), trust=trust)
    found = matched([level(), spoilt], VOLUME.grid)[1]
    whole = matched([level(), view], VOLUME.grid)[1]
    assert found.interpolation_error.mean() < 2 * whole.interpolation_error.mean()


@pytest.mark.parametrize("order", [1, 3])
def test_without_slices_of_another_direction_nothing_is_taken(order):
    one, other = scanned(stack(10), order), scanned(stack(-8, 0.3), order)
    for views in ([one], [one, other]):
        for before, after in zip(views, matched(views, VOLUME.grid), strict=True):
            np.testing.assert_array_equal(after.volume.array, before.volume.array)
            assert after.interpolation_error.any()


def test_two_views_between_the_voxels_are_read_together():
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_rotvec([0.06, 0.05, 0.08]).as_matrix() * [1.0, 1.0, 4.0]
    shape = (*SHAPE[:2], 7)
    affine[:3, 3] = CENTRE - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    views = [scanned(Grid(shape, affine), 3, axis=2), scanned(stack(10), 3)]
    for before, after in zip(views, matched(views, VOLUME.grid), strict=True):
        assert part_without_blur(before, after) > 0.6


def test_a_view_without_a_voxel_in_the_grid_is_left_to_those_who_refuse_it():
    grid = stack(10)
    grid.affine[:3, 3] += 500
    away = View(Volume(np.ones(grid.shape, np.float32), grid), 0, SliceProfile("box", 4.0))
    for views in ([level(), away], [away]):
        assert matched(views, VOLUME.grid) == views


def test_nothing_is_lost_across_slices_along_the_grid():
    """The matrix holds exact overlaps there, also of slices of no whole number of voxels."""
    image = np.broadcast_to(np.sin(np.arange(SHAPE[0]) * 1.3)[:, None, None], SHAPE)
    slices = acquire(VOLUME, 0, SliceProfile("box", 3.5), 3.5).volume.grid
    affine = slices.affine.copy()
    affine[1:3, 3] += 0.5
    grid = Grid(slices.shape, affine)
    empty = Volume(np.zeros(slices.shape, np.float32), grid)
    wanted = np.ones(grid.size, bool)
    for shape, lost in (("box", False), ("point", True)):
        view = View(empty, 0, SliceProfile(shape, 3.5))
        found = lost_by_interpolation(view, VOLUME.grid, image, wanted)
        assert (np.abs(found[:, 4:-4, 4:-4]).max() > 1e-3) == lost


def test_other_voxels_of_a_view_have_lost_nothing():
    view = matched([level(), scanned(stack(10), 3)], VOLUME.grid)[1]
    moved = replace(view, shifts=np.zeros((view.volume.grid.shape[0], 3)))
    for other in (straightened(moved), bin_in_plane(view, 2.0)):
        assert other.volume.grid.shape != view.volume.grid.shape
        np.testing.assert_array_equal(other.sharp, other.volume.array)


def test_nothing_is_lost_of_a_linear_ramp():
    ramp = (np.argwhere(np.ones(SHAPE)) @ [1.0, -2.0, 0.5]).reshape(SHAPE)
    view = scanned(stack(10), 3)
    lost = lost_by_interpolation(view, VOLUME.grid, ramp, np.ones(view.volume.grid.size, bool))
    inner = (slice(2, -2), slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(lost[inner], 0, atol=0.05)


def test_the_error_around_voxels_is_a_number_where_nothing_follows_something():
    rng = np.random.default_rng(0)
    lost = (rng.normal(size=(4, 30, 30)) * 10.0 ** rng.integers(-6, 0, (4, 30, 30))).astype("f4")
    lost[rng.random(lost.shape) < 0.5] = 0
    lost[:, :, 15:] = 0
    found = around(lost)
    assert np.isfinite(found).all() and found[:, :, 17:].max() < 1e-6
    assert found[2, 10, 10] == pytest.approx(np.sqrt(np.mean(lost[1:4, 9:12, 9:12] ** 2)), rel=1e-3)
