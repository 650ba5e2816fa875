"""Displacements of slices, against stacks whose slices were moved by known amounts."""

import numpy as np
import pytest

from cordinr.acquisition.overlap import coverage
from cordinr.alignment.modes import align
from cordinr.alignment.slices import MIN_WORST_MM, common_shift
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.errors import InputError
from cordinr.evaluation.metrics import psnr
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from tests.helpers.scans import body, displacement, scan


def second_pass(count: int) -> np.ndarray:
    """Every second slice elsewhere, in its plane and across it."""
    shifts = np.zeros((count, 3))
    shifts[1::2] = [1.0, -0.8, 0.9]
    return shifts


def each_elsewhere(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, 3)) / np.sqrt(3)


def stacks(image, shifts, *, moved=None, gain=1.0, noise=0.02):
    """A sagittal and a tilted axial scan; the slices of both move by `shifts`."""
    common = {"in_plane": 0.8, "noise": noise, "shifts": shifts}
    return [
        scan(image, "R", thickness=3, spacing=3.3, name="sag", **common),
        scan(
            image,
            "S",
            thickness=3.4,
            spacing=4,
            tilt=8,
            moved=moved,
            gain=gain,
            seed=1,
            name="ax",
            **common,
        ),
    ]


def middles(view):
    """(slices, 3) world mm of the middles of the slices by the header."""
    count = view.volume.grid.shape[2]
    index = np.tile((np.array(view.volume.grid.shape) - 1) / 2, (count, 1))
    index[:, 2] = np.arange(count)
    return view.volume.grid.world(index)


def errors_of(found, views, moved, shifts):
    """(all slices, 3) mm between where slices were found and where they are.

    Where all scans lie together nothing tells: the median is removed.
    """
    parts = []
    for number, (view, matrix) in enumerate(zip(views, (np.eye(4), moved), strict=True)):
        true = middles(view) @ matrix[:3, :3].T + matrix[:3, 3]
        true += shifts(len(true))
        pose, own = found.poses[number].matrix, found.shifts[number]
        place = middles(view) @ pose[:3, :3].T + pose[:3, 3]
        parts.append(place - true + (0 if own is None else own))
    return np.concatenate(parts) - np.median(np.concatenate(parts), axis=0)


def quality(found, views, image, offset):
    """PSNR of total variation, the whole put where the image is."""
    placed = []
    for view in found.apply(views):
        affine = view.volume.grid.affine.copy()
        affine[:3, 3] -= offset
        grid = Grid(view.volume.grid.shape, affine)
        placed.append(
            type(view)(Volume(view.volume.array, grid), view.axis, view.profile, shifts=view.shifts)
        )
    built = reconstruct_baseline(placed, image.grid, "tv", 0.002)
    return psnr(built, image.array, coverage(placed, image.grid), 1000)


@pytest.mark.parametrize("shifts", [second_pass, each_elsewhere])
def test_slices_that_moved_are_found(shifts):
    image = body(3)
    truth = displacement(image.grid.centre, np.array([2.0, -1.0, 1.5]), np.array([1.5, 2.0, -1.0]))
    views = stacks(image, shifts, moved=truth, gain=1.4)
    rigid, found = align(views), align(views, "slices")
    assert rigid.shifts == (None, None)
    before = np.linalg.norm(errors_of(rigid, views, truth, shifts), axis=1)
    after = np.linalg.norm(errors_of(found, views, truth, shifts), axis=1)
    assert np.percentile(before, 90) > 1
    assert np.median(after) < 0.1 and np.percentile(after, 90) < 0.25
    assert found.gains[1] == pytest.approx(1.4, rel=0.02)
    assert not any(each.doubted for each in found.slices)


def test_a_reconstruction_with_moved_slices_is_as_good_as_one_without():
    image = body(3)
    views = stacks(image, second_pass, noise=0.0)
    results = {}
    for mode in ("rigid", "slices"):
        found = align(views, mode)
        true = [np.zeros((view.volume.grid.shape[2], 3)) for view in views]
        own = [np.zeros(3) if each is None else each for each in found.shifts]
        places = [
            middles(view) @ pose.matrix[:3, :3].T
            + pose.matrix[:3, 3]
            + each
            - middles(view)
            - second_pass(len(zero))
            for view, pose, each, zero in zip(views, found.poses, own, true, strict=True)
        ]
        results[mode] = quality(found, views, image, np.median(np.concatenate(places), axis=0))
    still = stacks(image, None, noise=0.0)
    best = quality(align(still), still, image, np.zeros(3))
    assert results["slices"] > results["rigid"] + 3
    assert results["slices"] > best - 0.5


def test_slices_in_their_places_stay():
    """Then both ways give the same, to the last bit."""
    image = body(4)
    truth = displacement(image.grid.centre, np.array([2.0, -1.0, 1.5]), np.array([1.5, 2.0, -1.0]))
    for moved in (None, truth):
        views = stacks(image, None, moved=moved)
        rigid, found = align(views), align(views, "slices")
        assert found.shifts == (None, None)
        for one, other in zip(rigid.poses, found.poses, strict=True):
            np.testing.assert_array_equal(one.matrix, other.matrix)
        for one, other in zip(rigid.apply(views), found.apply(views), strict=True):
            assert other.shifts is None
            np.testing.assert_array_equal(one.volume.array, other.volume.array)


def test_a_slice_of_another_place_is_left_out_and_not_moved():
    views = stacks(body(3), second_pass)
    axial = views[1].volume.array
    axial[:, :, 4] = axial[::-1, ::-1, 9]
    found = align(views, "slices")
    assert found.slices[1].trust[4] == 0 and not found.shifts[1][4].any()
    assert found.slices[1].doubted == [4]
    view = found.apply(views)[1]
    assert not view.measured[:, :, 4].any() and view.measured[:, :, 5].all()
    after = np.linalg.norm(errors_of(found, views, np.eye(4), second_pass), axis=1)
    assert np.median(after) < 0.1
    said = found.fields(1)
    assert said["SliceTranslations"] == np.round(found.shifts[1], 4).tolist()
    assert "Slices that moved against the others, from 0:" in found.describe(1)


def test_one_slice_that_moved_is_told_alone():
    def one_slice(count):
        shifts = np.zeros((count, 3))
        shifts[5] = [1.2, 0.9, 0.0]
        return shifts

    image = body(3)
    views = stacks(image, None)
    views[1] = stacks(image, one_slice)[1]
    found = align(views, "slices")
    assert found.shifts[0] is None
    assert np.flatnonzero(found.shifts[1].any(axis=1)).tolist() == [5]
    assert found.shifts[1][5] == pytest.approx([1.2, 0.9, 0.0], abs=MIN_WORST_MM / 2)


def test_the_larger_pass_stays():
    shifts = np.zeros((7, 3))
    shifts[1::2] = [1.0, 0.5, -1.0]
    assert common_shift(shifts) == pytest.approx(0)
    assert common_shift(shifts + np.array([1, 2, 3])) == pytest.approx([1, 2, 3])
    assert common_shift(np.zeros((0, 3))) == pytest.approx(0)


def test_a_mode_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="mode 'nonrigid' is not known; use rigid or slices"):
        align(stacks(body(), None), "nonrigid")
