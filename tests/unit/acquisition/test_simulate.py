"""The forward model against loops over voxels and numerical integration."""

import numpy as np
import pytest
from scipy.integrate import quad

from cordinr.acquisition.forward import system_matrix
from cordinr.acquisition.overlap import check_overlap, common_grid, coverage
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire, slice_grid
from cordinr.acquisition.view import View
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from tests.helpers.support import blobs, two_views

PSR = np.array([[0, 0, 1.0, -20], [-1.0, 0, 0, 30], [0, 1.0, 0, -40], [0, 0, 0, 1]])


def brute_force(volume, axis, thickness, spacing):
    """Box slices by a loop over slices and voxels: overlap of [k s, k s + t] with each voxel."""
    lines = np.moveaxis(volume.array.astype(float), axis, 0)
    voxel = volume.grid.voxel_sizes[axis]
    reach = max(thickness, spacing)
    count = int((len(lines) * voxel - reach) / spacing + 1e-6) + 1
    slices = []
    for k in range(count):
        start = k * spacing + (reach - thickness) / 2
        total = np.zeros(lines.shape[1:])
        for j, plane in enumerate(lines):
            overlap = min(start + thickness, (j + 1) * voxel) - max(start, j * voxel)
            total += max(overlap, 0) / thickness * plane
        slices.append(total)
    return np.moveaxis(np.array(slices), 0, axis)


@pytest.mark.parametrize("letter", "RAS")
@pytest.mark.parametrize(("thickness", "spacing"), [(5, 5), (4, 4), (2.6, 2.6), (3.5, 5), (5, 2.5)])
def test_box_slices_equal_a_loop_over_voxels(letter, thickness, spacing):
    volume = blobs((24, 20, 16), PSR)
    axis = volume.grid.axis_along(letter)
    view = acquire(volume, axis, SliceProfile("box", thickness), spacing)
    expected = brute_force(volume, axis, thickness, spacing)
    assert view.volume.array.shape == expected.shape
    np.testing.assert_allclose(view.volume.array, expected, rtol=2e-6)


def test_slices_lie_where_their_voxels_are():
    x = np.linspace(0, 1, 20)
    ramp = np.broadcast_to(x[:, None, None], (20, 6, 6)).astype(np.float32)
    volume = Volume(ramp, Grid((20, 6, 6), PSR))
    view = acquire(volume, 0, SliceProfile("box", 4.0), 4.0)
    positions = volume.grid.index(view.volume.grid.world(np.array([[k, 0, 0] for k in range(5)])))
    np.testing.assert_allclose(view.volume.array[:, 0, 0] * 19, positions[:, 0], rtol=1e-5)


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


def test_five_midpoints_are_a_five_to_one_average(smooth_volume):
    view = acquire(smooth_volume, 0, SliceProfile("box", 5.0), 5.0)
    offsets, weights = view.offsets(5)
    centre = view.volume.grid.world(np.array([1, 3, 4]))
    index = smooth_volume.grid.index(centre + offsets)
    np.testing.assert_allclose(index, np.rint(index), atol=1e-9)
    picked = smooth_volume.array[tuple(np.rint(index).astype(int).T)]
    assert weights @ picked == pytest.approx(view.volume.array[1, 3, 4], rel=1e-6)


@pytest.mark.parametrize("shape", ["box", "gaussian", "point"])
@pytest.mark.parametrize("thickness", [4.0, 5.0])
def test_a_ramp_stays_a_ramp_to_the_last_slice(shape, thickness):
    """Whatever the symmetric profile, the mean of a ramp is its value at the slice centre."""
    ramp = np.broadcast_to(np.arange(40.0)[:, None, None], (40, 6, 6)).astype(np.float32)
    volume = Volume(ramp, Grid((40, 6, 6), PSR))
    view = acquire(volume, 0, SliceProfile(shape, thickness), thickness)
    slices = np.arange(view.volume.grid.shape[0])
    centres = volume.grid.index(view.volume.grid.world(slices[:, None] * [1, 0, 0]))[:, 0]
    np.testing.assert_allclose(view.volume.array[:, 0, 0], centres, atol=2e-3 * thickness)


def test_gaussian_slices_equal_a_loop_over_voxels(smooth_volume):
    view = acquire(smooth_volume, 0, SliceProfile("gaussian", 3.0), 4.0)
    sigma = 3.0 / np.sqrt(8 * np.log(2))
    for k in range(view.volume.grid.shape[0]):
        centre = smooth_volume.grid.index(view.volume.grid.world(np.array([k, 0, 0])))[0]
        weights = np.exp(-0.5 * ((np.arange(24) - centre) / sigma) ** 2)
        expected = np.tensordot(weights / weights.sum(), smooth_volume.array, axes=(0, 0))
        np.testing.assert_allclose(view.volume.array[k], expected, rtol=0.01)


def test_a_sheared_volume_is_sliced_exactly():
    shear = np.eye(4)
    shear[0, 1] = 0.05
    volume = blobs((20, 10, 8), shear)
    view = acquire(volume, 0, SliceProfile("box", 4.0), 4.0)
    np.testing.assert_allclose(view.volume.array, brute_force(volume, 0, 4, 4), rtol=1e-5)


def test_point_profile_is_decimation(smooth_volume):
    view = acquire(smooth_volume, 0, SliceProfile("point", 5.0), 5.0)
    np.testing.assert_allclose(view.volume.array, smooth_volume.array[2::5][:4], rtol=1e-6)
    even = acquire(smooth_volume, 0, SliceProfile("point", 4.0), 4.0)
    np.testing.assert_allclose(even.volume.array, smooth_volume.array[2::4], rtol=1e-6)


def test_matrix_rows_sum_to_one_and_oblique_agrees_with_parallel():
    volume = blobs((24, 20, 16), np.eye(4))
    view = two_views(volume)[0]
    exact = system_matrix(view, volume.grid)
    np.testing.assert_allclose(np.asarray(exact.sum(axis=1)).ravel(), 1, rtol=1e-5)
    tilt = 2e-3  # radians: not parallel any more, yet nearly the same place
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
    tilted = Volume(view.volume.array, Grid(view.volume.grid.shape, turn @ view.volume.grid.affine))
    oblique = system_matrix(View(tilted, view.axis, view.profile), volume.grid)
    seen = np.diff(oblique.indptr) > 0
    assert seen.mean() > 0.8
    difference = (oblique @ volume.array.ravel() - exact @ volume.array.ravel())[seen]
    assert np.abs(difference).max() < 0.02 * volume.array.max()


def test_coverage_leaves_out_what_a_view_does_not_see():
    volume = blobs((24, 20, 18), np.eye(4))  # 18 mm along S: four slices of 4 mm, 2 mm left over
    covered = coverage(two_views(volume), volume.grid)
    assert covered[:, :, :16].all() and not covered[:, :, 16:].any()


def test_common_grid_is_what_all_views_show():
    volume = blobs((24, 20, 18), PSR)
    views = two_views(volume)
    grid = common_grid(views)
    np.testing.assert_allclose(grid.voxel_sizes, 1)
    assert coverage(views, grid).all()
    assert grid.size == coverage(views, volume.grid).sum()


def test_views_that_do_not_overlap_are_refused():
    here = two_views(blobs((12, 12, 12), np.eye(4)))[0]
    away = np.eye(4)
    away[0, 3] = 500
    there = two_views(blobs((12, 12, 12), away))[1]
    with pytest.raises(InputError, match="do not overlap"):
        check_overlap([here, there])


@pytest.mark.parametrize(
    ("thickness", "spacing", "sentence"),
    [(0.5, 0.5, "thinner than the voxels"), (30, 30, "thinner than one slice")],
)
def test_impossible_slices_are_refused(thickness, spacing, sentence):
    grid = Grid((24, 20, 16), np.eye(4))
    with pytest.raises(InputError, match=sentence):
        slice_grid(grid, 0, SliceProfile("box", thickness), spacing)
