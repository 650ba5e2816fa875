"""What the INR is drawn to, against interpolation by SciPy, a loop and fits with and without."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.overlap import common_grid
from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.acquisition.view import intensity_scale
from cordinr.classical.reconstruct import reconstruct_baseline, regularised
from cordinr.imaging.volume import Volume
from cordinr.inr import tv_target
from cordinr.inr.fit import fit_inr
from cordinr.inr.loss import squared_distance_to_target
from cordinr.inr.point_groups import make_point_groups
from cordinr.inr.problem import middle, prepare_fit
from cordinr.inr.render import render_inr
from cordinr.inr.settings import FitSettings
from cordinr.inr.target_image import with_targets
from cordinr.inr.tv_target import TV_TARGET_WEIGHT
from cordinr.inr.tv_target import tv_target as reconstruct_target
from tests.helpers.priors import tiny_prior
from tests.helpers.support import blobs, two_views

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


def groups_of(views, weight=TV_TARGET_WEIGHT):
    """The groups of views without and with targets, the positions of their points, and the grid."""
    domain, scale = FitDomain.of(views), intensity_scale(views)
    grid, (centre, _) = domain.grid, middle(domain.corners(views))
    groups = make_point_groups(views, domain, centre, scale=scale, points=5, device=CPU)
    places = [(g.centres[:, None] + g.offsets).numpy() + centre for g in groups]
    image = reconstruct_target(views, grid, scale=scale, weight=weight, device=CPU)
    return groups, with_targets(groups, image, centre), places, grid


def tilted_view():
    """An axial view turned by 20 degrees about R, of a body that the sagittal one leaves."""
    turn = np.eye(4)
    angle = np.radians(20)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    volume = blobs((14, 12, 12), turn)
    return acquire(volume, 2, SliceProfile("box", 4.0), 4.0)


@pytest.mark.parametrize("tilted", [False, True])
def test_points_are_drawn_to_total_variation_and_to_nothing_outside_of_it(tilted):
    views = two_views(blobs((12, 13, 16), np.eye(4)))
    if tilted:
        views = [tilted_view(), views[1]]
    groups, aimed, places, grid = groups_of(views)
    image = regularised(views, grid, TV_TARGET_WEIGHT) / intensity_scale(views)
    without = 0
    for group, aiming, points in zip(groups, aimed, places, strict=True):
        index = grid.index(points)
        within = np.moveaxis(np.clip(index, 0, np.array(grid.shape) - 1), -1, 0)
        expected = map_coordinates(image, within, order=3, mode="mirror")
        margin = np.minimum(index + 0.5, np.array(grid.shape) - 0.5 - index).min(axis=-1)
        found = aiming.targets.numpy()
        np.testing.assert_allclose(found[margin > 1e-3], expected[margin > 1e-3], atol=1e-4)
        assert np.isnan(found[margin < -1e-3]).all()
        without += (margin < -1e-3).sum()
        assert group.targets is None and group.digest() == aiming.digest()
    assert bool(without) == tilted


def test_the_target_is_good_at_the_edge_where_slices_reach_beyond_it():
    """Against the formula of the body, at the points of the fit."""
    volume = blobs((32, 32, 32), np.eye(4))
    views = [acquire(volume, axis, SliceProfile("gaussian", 4.0), 4.0) for axis in (2, 0)]
    problem = prepare_fit(views, 8, FitSettings(tv_prior=0.01, passes=2), CPU)
    grid = problem.domain.grid
    depths, errors = [], []
    for group in problem.groups:
        places = (group.centres[:, None] + group.offsets).numpy() + problem.centre
        index = grid.index(places)
        x, y, z = np.moveaxis(places, -1, 0)
        true = 100 + 40 * np.sin(x / 4) * np.cos(y / 5) + 30 * np.cos(z / 3 + x / 6)
        depth = np.minimum(index + 0.5, np.array(grid.shape) - 0.5 - index).min(axis=-1)
        depths.append(depth.ravel())
        errors.append((group.targets.numpy() * problem.scale - true).ravel())
    depth, error = np.concatenate(depths), np.concatenate(errors)
    edge, within = (depth > 0) & (depth < 4), depth > 4
    assert np.sqrt(np.mean(error[edge] ** 2)) < 2 * np.sqrt(np.mean(error[within] ** 2))


@pytest.mark.parametrize("learned", [False, True])
def test_what_slices_show_beyond_cropped_scans_is_drawn_to_no_black(learned):
    """Their profile reaches there, though nothing is rendered there."""
    volume = blobs((20, 20, 24), np.eye(4))
    view = acquire(volume, 2, SliceProfile("gaussian", 4.0), 4.0)
    view = replace(view, cropped=True)
    prior = tiny_prior() if learned else None
    problem = prepare_fit([view], 8, FitSettings(tv_prior=0.01, passes=2), CPU, prior=prior)
    assert problem.domain.limits
    (group,) = problem.groups
    places = (group.centres[:, None] + group.offsets).numpy() + problem.centre
    beyond = ~view.volume.grid.contains(view.volume.grid.index(places))
    target = group.targets.numpy()[beyond & np.isfinite(group.targets.numpy())] * problem.scale
    assert target.size > 100 and target.min() > 0.3 * volume.array.min() > 0
    image = reconstruct_baseline([view], volume.grid, "tv", 0.01)
    outside = ~view.volume.grid.contains(view.volume.grid.index(volume.grid.centres()))
    assert (image.ravel()[outside] == 0).all()


def test_weight_smooths_the_target():
    views = two_views(blobs((12, 13, 16), np.eye(4)))
    rough = [
        torch.cat([s.targets.flatten() for s in groups_of(views, weight)[1]]).std()
        for weight in (TV_TARGET_WEIGHT, 1.0)
    ]
    assert rough[1] < 0.8 * rough[0]


def test_distance_is_summed_where_there_are_targets():
    rng = np.random.default_rng(0)
    intensity = torch.tensor(rng.normal(size=(2, 3, 4)), requires_grad=True)
    targets = torch.tensor(rng.normal(size=(3, 4)))
    targets[1, 2] = torch.nan
    total = squared_distance_to_target(intensity, targets)
    expected = sum(
        (intensity[m, n, q].item() - targets[n, q].item()) ** 2
        for m, n, q in np.ndindex(2, 3, 4)
        if (n, q) != (1, 2)
    )
    assert total.item() == pytest.approx(expected)
    total.backward()
    gradient = 2 * (intensity.detach() - targets)
    gradient[:, 1, 2] = 0
    torch.testing.assert_close(intensity.grad, gradient)


def test_a_stronger_prior_brings_the_inr_closer_to_total_variation():
    volume = blobs((16, 16, 16), np.eye(4))
    noise = np.random.default_rng(0).normal(0, 40, volume.array.shape).astype(np.float32)
    views = two_views(Volume(volume.array + noise, volume.grid))
    grid = common_grid(views)
    settings = FitSettings(width=32, channels=2, batch=256, passes=20, smoothing=0)
    target = reconstruct_baseline(views, grid, "tv", TV_TARGET_WEIGHT)
    apart = [
        np.abs(render_inr(fit_inr(views, 8, replace(settings, tv_prior=weight)), grid) - target)
        for weight in (0.0, 0.01, 1.0)
    ]
    means = [float(each.mean()) for each in apart]
    assert means[0] > 1.02 * means[1] > 1.1 * means[2]


def test_a_target_counts_once_for_each_voxel_however_many_points_stand_for_it():
    """Views that share no points have more of them, and scans of unlike extent points beyond."""
    boxes = two_views(blobs((16, 16, 16), np.eye(4)))
    gaussians = [replace(view, profile=SliceProfile("gaussian", 4.0)) for view in boxes]
    wide = acquire(blobs((40, 16, 16), np.eye(4)), 2, SliceProfile("box", 4.0), 4.0)
    for views in (boxes, gaussians, [wide, boxes[1]]):
        problem = prepare_fit(views, 8, FitSettings(tv_prior=0.01), CPU)
        grid, points = problem.domain.grid, 0
        for group in problem.groups:
            places = (group.centres[:, None] + group.offsets).numpy() + problem.centre
            within = grid.contains(grid.index(places))
            points += int((group.targets.isfinite().numpy() & within).sum())
        assert problem.target_weight * points == pytest.approx(0.01 * 16**3)


def test_the_seconds_of_a_fit_include_the_reconstruction(monkeypatch):
    views, reports = two_views(blobs((12, 13, 16), np.eye(4))), []

    clock = time.perf_counter
    late = 0.0

    def slow(*arguments, **options):
        nonlocal late
        late = 100.0
        return reconstruct_target(*arguments, **options)

    monkeypatch.setattr("cordinr.inr.problem.tv_target", slow)
    monkeypatch.setattr(time, "perf_counter", lambda: clock() + late)
    fit_inr(views, 8, FitSettings(max_steps=1, width=8, channels=1), report=reports.append)
    assert reports[-1].seconds > 100


def test_without_gpu_memory_the_target_is_computed_on_the_cpu(monkeypatch, notes):
    views = two_views(blobs((12, 13, 16), np.eye(4)))
    expected = groups_of(views)[1][0].targets
    real, asked = tv_target.regularised, []

    def first_on_the_gpu(*arguments):
        asked.append(arguments[3])
        if len(asked) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*arguments)

    monkeypatch.setattr(tv_target, "regularised", first_on_the_gpu)
    assert torch.equal(groups_of(views)[1][0].targets, expected)
    assert any("on the CPU, for want of GPU memory" in note for note in notes())
