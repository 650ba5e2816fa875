"""Slices that are left out: what the others say of them, without having seen them."""

import numpy as np
import pytest

from cordinr.acquisition.overlap import common_grid
from cordinr.classical.reconstruct import reconstruct_baseline
from cordinr.errors import InputError
from cordinr.imaging.volume import Volume
from cordinr.trust import hold_out as module
from cordinr.trust.hold_out import hold_out, quick_reconstruction
from tests.helpers.scans import body, scan


@pytest.fixture(scope="module")
def views():
    image = body()
    return [
        scan(image, "R", thickness=3, spacing=3, in_plane=1.0, name="sag"),
        scan(image, "S", thickness=4, spacing=4, in_plane=1.0, name="ax"),
    ]


def tikhonov(views):
    grid = common_grid(views, 1.0)
    return Volume(reconstruct_baseline(views, grid, "tikhonov", 0.003), grid)


def test_a_reconstruction_beats_interpolation_where_scans_cross(views):
    found = hold_out(views, 3, tikhonov)
    for view, each in zip(views, found, strict=True):
        compared = np.flatnonzero(each.reconstruction.voxels)
        assert set(compared) <= set(range(1, view.volume.grid.shape[2] - 1, 3))
        assert (each.reconstruction.voxels == each.interpolation.voxels).all()
        assert each.ratio < 0.9
        assert each.reconstruction.total_correlation > each.interpolation.total_correlation


def test_interpolation_is_the_mean_of_both_neighbours(views):
    array = views[1].volume.array
    found = hold_out(views, 3, tikhonov)[1].interpolation
    mean = (array[:, :, 3] + array[:, :, 5]) / 2
    inner = (slice(8, -8), slice(8, -8))
    error = np.sqrt(np.mean((mean - array[:, :, 4])[inner] ** 2)) / np.percentile(array, 99.9)
    assert found.difference[4] == pytest.approx(error, rel=0.35)


def test_left_out_slices_are_not_seen(views):
    """Whatever they hold, what is reconstructed stays the same to the last bit."""
    seen = []

    def spy(kept):
        seen.append(kept)
        return tikhonov(kept)

    hold_out(views, 3, spy)
    spoilt = list(views)
    for number, view in enumerate(views):
        array = view.volume.array.copy()
        array[:, :, 1:-1:3] = 7e3
        spoilt[number] = type(view)(
            Volume(array, view.volume.grid), view.axis, view.profile, view.name
        )
    hold_out(spoilt, 3, spy)
    for before, after in zip(*seen, strict=True):
        np.testing.assert_array_equal(before.volume.array, after.volume.array)
        np.testing.assert_array_equal(before.measured, after.measured)
        assert not before.measured[:, :, 1].any() and before.measured[:, :, 2].all()


@pytest.mark.parametrize(("step", "said"), [(1, "choose 2 or more"), (0, "choose 2 or more")])
def test_neighbours_have_to_be_kept(views, step, said):
    with pytest.raises(InputError, match=said):
        hold_out(views, step, tikhonov)


def test_a_stack_of_two_slices_has_none_to_leave_out():
    thick = scan(body(), "S", thickness=18, spacing=18, in_plane=2.0, name="two")
    assert thick.volume.grid.shape[2] == 2
    with pytest.raises(InputError, match="two: has 2 slices"):
        hold_out([thick], 2, tikhonov)


def test_the_quick_reconstruction_covers_the_middle(views, monkeypatch):
    monkeypatch.setattr(module, "MAX_VOXELS", 8_000)
    whole, image = common_grid(views), quick_reconstruction(views)
    assert 4_000 < image.grid.size <= 8_000
    np.testing.assert_allclose(image.grid.voxel_sizes, whole.voxel_sizes)
    np.testing.assert_allclose(image.grid.centre, whole.centre, atol=1.0)
