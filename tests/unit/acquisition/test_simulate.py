"""Thick slices simulated from a volume."""

import numpy as np
import pytest

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire, slice_grid
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from tests.helpers.support import blobs

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


def test_five_midpoints_are_a_five_to_one_average(smooth_volume):
    view = acquire(smooth_volume, 0, SliceProfile("box", 5.0), 5.0)
    offsets, weights = view.offsets(5, 1.0)
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


@pytest.mark.parametrize(
    ("thickness", "spacing", "sentence"),
    [(0.5, 0.5, "thinner than the voxels"), (30, 30, "thinner than one slice")],
)
def test_impossible_slices_are_refused(thickness, spacing, sentence):
    grid = Grid((24, 20, 16), np.eye(4))
    with pytest.raises(InputError, match=sentence):
        slice_grid(grid, 0, SliceProfile("box", thickness), spacing)
