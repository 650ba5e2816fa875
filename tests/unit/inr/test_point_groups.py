"""Which points stand for which voxels of the views."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.noise import excess_noise, noise_level
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import View
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.inr.loss import total_variation
from cordinr.inr.point_groups import make_point_groups
from tests.helpers.support import blobs

CPU = torch.device("cpu")
ORIGIN = np.zeros(3)


def image(affine=None, shape=(12, 9, 14)) -> Volume:
    affine = np.diag([1.0, 1, 1, 1]) if affine is None else affine
    return blobs(shape, affine)


def views_of(volume, axes="SR", thickness=4.0, shape="box") -> list[View]:
    profile = SliceProfile(shape, thickness)
    return [acquire(volume, volume.grid.axis_along(a), profile, thickness) for a in axes]


def nearest(volume: Volume, world: np.ndarray) -> np.ndarray:
    index = np.rint(volume.grid.index(world)).astype(int)
    return volume.array[tuple(index.T)]


def check_against(volume, groups, total):
    """Every group's voxels are the weighted means of the image at its points."""
    for group in groups:
        points = group.centres[:, None] + group.offsets
        seen = nearest(volume, points.reshape(-1, 3).numpy().astype(float))
        means = seen.reshape(len(group.centres), -1) @ group.weights.numpy()
        np.testing.assert_allclose(means, group.values, rtol=1e-4)
    assert sum(group.values.numel() for group in groups) == total


PSR = np.array([[0, 0, 1.0, -4], [-1, 0, 0, 7], [0, 1, 0, 2], [0, 0, 0, 1]])


@pytest.mark.parametrize("affine", [None, PSR])
@pytest.mark.parametrize("axes", ["SR", "RS", "SRA"])
@pytest.mark.parametrize("pairs", [False, True])
def test_views_on_one_lattice_share_their_points(affine, axes, pairs):
    volume = image(affine, (12, 13, 14))
    views = views_of(volume, axes)
    groups = make_point_groups(
        views, FitDomain.of(views), ORIGIN, scale=1.0, points=4, device=CPU, pairs=pairs
    )
    assert len(groups[0].offsets) == (64 if axes == "SRA" else 32 if pairs else 16)
    check_against(volume, groups, sum(view.volume.grid.size for view in views))
    shared = len(groups[0].centres) * len(groups[0].offsets)
    assert shared > 0.7 * volume.grid.size


def test_a_view_with_its_axes_turned_around_shares_too():
    volume = image()
    views = views_of(volume)
    flipped = views[1].volume.array.transpose(2, 0, 1)[::-1]
    affine = views[1].volume.grid.affine[:, [2, 0, 1, 3]].copy()
    affine[:3, 3] += affine[:3, 0] * (flipped.shape[0] - 1)
    affine[:3, 0] *= -1
    turned = View(Volume(flipped, Grid(flipped.shape, affine)), 1, views[1].profile)
    groups = make_point_groups(
        [views[0], turned], FitDomain.of(views), ORIGIN, scale=1.0, points=4, device=CPU
    )
    assert len(groups[0].offsets) == 16
    check_against(volume, groups, sum(view.volume.grid.size for view in views))


@pytest.mark.parametrize("reason", ["gaussian", "shifted", "oblique", "gap", "alone"])
def test_views_without_a_common_lattice_are_sampled_one_by_one(reason):
    volume = image()
    views = views_of(volume, shape="gaussian" if reason == "gaussian" else "box")
    moved = views[1].volume.grid.affine.copy()
    if reason == "shifted":
        moved[0, 3] += 0.3
    if reason == "oblique":
        moved[:3, :3] = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ moved[:3, :3]
    profile = SliceProfile("box", 3.0) if reason == "gap" else views[1].profile
    views[1] = View(
        Volume(views[1].volume.array, Grid(views[1].volume.grid.shape, moved)),
        views[1].axis,
        profile,
    )
    views = views[:1] if reason == "alone" else views
    domain = FitDomain.of(views)
    groups = make_point_groups(views, domain, ORIGIN, scale=2.0, points=5, device=CPU)
    assert len(groups) == len(views)
    for group, view in zip(groups, views, strict=True):
        centres = view.volume.grid.centres()
        within = domain.contains(centres)
        assert within.mean() > 0.95 and (within.all() or reason == "oblique")
        np.testing.assert_allclose(group.centres, centres[within], atol=1e-4)
        values = view.volume.array.ravel()[within]
        np.testing.assert_allclose(group.values[:, 0] * 2, values, rtol=1e-5)
        expected = 5 * view.profile.extent / view.profile.thickness
        assert len(group.offsets) == np.ceil(expected)
        assert group.weights.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("pairs", [False, True])
def test_differences_are_those_of_neighbouring_voxels(pairs):
    volume = image()
    group = make_point_groups(
        views_of(volume),
        FitDomain(volume.grid, 4.0),
        ORIGIN,
        scale=1.0,
        points=4,
        device=CPU,
        pairs=pairs,
    )[0]
    points = (group.centres[:, None] + group.offsets).reshape(-1, 3).numpy().astype(float)
    seen = torch.tensor(nearest(volume, points)).reshape(1, len(group.centres), -1)
    expected = np.zeros((3, *seen.shape[1:]))
    offsets = group.offsets.numpy()
    for axis in range(3):
        for i, offset in enumerate(offsets):
            ahead = np.flatnonzero(np.abs(offsets - offset - np.eye(3)[axis]).max(axis=1) < 1e-4)
            if len(ahead):
                expected[axis, :, i] = seen[0, :, ahead[0]] - seen[0, :, i]
    found = (seen @ group.differences).reshape(len(group.centres), 3, -1).transpose(0, 1)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    length = np.sqrt((expected**2).sum(axis=0) + 0.01**2).sum()
    assert total_variation(seen, group).item() == pytest.approx(length, rel=1e-4)


def test_differences_along_a_profile_are_per_finest_voxel():
    volume = image()
    group = make_point_groups(
        views_of(volume)[:1], FitDomain(volume.grid, 4.0), ORIGIN, scale=1.0, points=8, device=CPU
    )[0]
    ramp = group.offsets[:, 2][None, None]
    slopes = (ramp @ group.differences)[0, 0]
    np.testing.assert_allclose(slopes[:-1], 1.0, rtol=1e-4)
    assert slopes[-1] == 0


def test_the_noise_level_is_read_from_the_views():
    volume = blobs((40, 40, 40), np.eye(4))
    clean = views_of(volume)
    rng = np.random.default_rng(0)
    noisy = [
        View(
            Volume(v.volume.array + rng.normal(0, 5, v.volume.array.shape), v.volume.grid),
            v.axis,
            v.profile,
        )
        for v in clean
    ]
    assert noise_level(noisy, 1.0) == pytest.approx(5, rel=0.1)
    assert excess_noise(clean, 170.0) == 0
    assert excess_noise(noisy, 170.0) == pytest.approx((5 / 170) ** 2 - 0.014**2, rel=0.25)


def test_slices_that_moved_share_no_points_and_lie_where_they_are():
    volume = image(None, (12, 12, 12))
    still, other = views_of(volume)
    shifts = np.random.default_rng(0).uniform(-0.4, 0.4, (still.volume.grid.shape[2], 3))
    groups = make_point_groups(
        [replace(still, shifts=shifts), other],
        FitDomain.of([still, other]),
        ORIGIN,
        scale=1.0,
        points=4,
        device=CPU,
    )
    places = still.volume.grid.centres().reshape(*still.volume.grid.shape, 3) + shifts
    np.testing.assert_allclose(groups[0].centres, places.reshape(-1, 3), atol=1e-5)
    np.testing.assert_allclose(groups[1].centres, other.volume.grid.centres(), atol=1e-5)
