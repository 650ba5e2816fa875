"""A fit that begins at an image: what the network has to learn, and what a model keeps of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.forward import with_whole_slices
from cordinr.acquisition.view import intensity_scale
from cordinr.classical.reconstruct import reconstruct_baseline, regularised
from cordinr.classical.weights import automatic_weight
from cordinr.errors import InputError
from cordinr.imaging.volume import Volume
from cordinr.inr import budget
from cordinr.inr import problem as problems
from cordinr.inr.budget import most_steps
from cordinr.inr.fit import fit_inr
from cordinr.inr.model_file import load_inr, save_inr
from cordinr.inr.point_groups import make_point_groups
from cordinr.inr.problem import middle, prepare_fit
from cordinr.inr.render import render_inr
from cordinr.inr.settings import FAST, FitSettings
from cordinr.inr.splines import spline_at, spline_coefficients
from cordinr.inr.target_image import TargetImage, relative_to
from tests.helpers.support import blobs, two_views, with_noise

SMALL = FitSettings(width=16, channels=1, batch=256, passes=4)
CPU = torch.device("cpu")


@pytest.fixture
def unlike_views():
    """Two views whose voxels share no points: one is turned a little."""
    turn = np.eye(4)
    angle = np.radians(8)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    volume = blobs((16, 16, 16), np.eye(4))
    return [two_views(blobs((16, 16, 16), turn))[0], two_views(volume)[1]]


@pytest.fixture
def begins(monkeypatch):
    """Every fit whose points are not shared begins at an image."""
    monkeypatch.setattr(problems, "MAX_POINTS", 1)


def test_the_image_is_interpolated_and_constant_beyond_its_edges():
    rng = np.random.default_rng(0)
    grid = blobs((5, 6, 7), np.diag([1.0, 2.0, 0.5, 1.0])).grid
    array = rng.normal(size=grid.shape).astype(np.float32)
    index = rng.uniform(-2, 9, (200, 3))
    image = TargetImage(torch.tensor(array), grid)
    expected = map_coordinates(array, index.T, order=1, mode="nearest")
    np.testing.assert_allclose(image.between_at_world(grid.world(index)), expected, atol=1e-5)
    within = np.clip(index, 0, np.array(grid.shape) - 1)
    expected = map_coordinates(array, within.T, order=3, mode="mirror")
    np.testing.assert_allclose(image.at_world(grid.world(index)), expected, atol=1e-4)


def test_splines_pass_through_the_voxels_of_the_flattest_images():
    rng = np.random.default_rng(0)
    for shape in ((1, 1, 1), (1, 2, 3), (2, 9, 1)):
        array = torch.tensor(rng.normal(size=shape).astype(np.float32))
        index = torch.tensor(np.argwhere(np.ones(shape)), dtype=torch.float32)
        found = spline_at(spline_coefficients(array), index)
        torch.testing.assert_close(found, array.flatten(), atol=1e-5, rtol=0)


def test_the_network_learns_what_the_image_lacks(unlike_views):
    """A loop over the points of each voxel says what is left of it."""
    domain, scale = FitDomain.of(unlike_views), intensity_scale(unlike_views)
    centre, _ = middle(domain.corners(unlike_views))
    groups = make_point_groups(unlike_views, domain, centre, scale=scale, points=3, device=CPU)
    rng = np.random.default_rng(1)
    array = rng.normal(size=domain.grid.shape).astype(np.float32)
    image = TargetImage(torch.tensor(array), domain.grid)
    for group, rest in zip(groups, relative_to(groups, image, centre), strict=True):
        for n in (0, len(group.values) // 2, len(group.values) - 1):
            points = (group.centres[n] + group.offsets).numpy() + centre
            index = np.clip(domain.grid.index(points), 0, np.array(domain.grid.shape) - 1)
            seen = map_coordinates(
                array, index.T, order=3, mode="mirror"
            ) @ group.weights.numpy().astype(float)
            expected = group.values[n].numpy() - seen
            np.testing.assert_allclose(rest.values[n].numpy(), expected, atol=1e-4)
        assert not rest.targets.any()


def test_only_a_fit_that_would_take_too_long_begins_at_an_image(unlike_views, monkeypatch):
    settings = replace(SMALL, passes=40)
    assert prepare_fit(unlike_views, 4, settings, CPU).start is None
    assert prepare_fit(unlike_views, 4, replace(settings, tv_prior=0), CPU).start is None
    monkeypatch.setattr(problems, "MAX_POINTS", 10)
    problem = prepare_fit(unlike_views, 4, settings, CPU)
    assert problem.start is not None
    assert prepare_fit(unlike_views, 4, replace(settings, tv_prior=0), CPU).start is None
    # Simulated views share their points, and are quick to learn.
    views = two_views(blobs((16, 16, 16), np.eye(4)))
    assert prepare_fit(views, 4, settings, CPU).start is None


def test_a_fit_that_begins_at_an_image_is_short(unlike_views, begins, tmp_path, notes):
    (tmp_path / "checkpoint").write_text("of a fit that began otherwise")
    for most, expected in ((10, 3), (8, 2)):
        settings = replace(SMALL, max_steps=most, passes=40)
        inr = fit_inr(unlike_views, 4, settings, checkpoint=tmp_path / "checkpoint")
        assert inr.fit_record["steps"] == expected
    assert not (tmp_path / "checkpoint").exists()
    assert most_steps(prepare_fit(unlike_views, 4, SMALL, CPU).groups, SMALL, begun=True) == 96


@pytest.mark.parametrize("settings", [FitSettings(), FitSettings(**FAST), FitSettings(tv_prior=0)])
def test_without_an_image_to_begin_at_only_large_fits_are_cut(unlike_views, settings, monkeypatch):
    groups = prepare_fit(unlike_views, 4, replace(settings, channels=0), CPU).groups
    assert most_steps(groups, settings, begun=False) == settings.max_steps
    # Ten times as many points as may be seen as often as usual are seen a tenth as often.
    monkeypatch.setattr(budget, "MAX_POINTS", budget.points_of(groups) / 10)
    assert most_steps(groups, settings, begun=False) == min(60, settings.max_steps)


def test_a_fast_fit_of_a_small_pair_is_far_better_than_interpolation(unlike_views):
    volume = blobs((16, 16, 16), np.eye(4))
    grid = prepare_fit(unlike_views, 4, replace(FitSettings(), channels=0), CPU).domain.grid
    for views, at in ((two_views(volume), volume.grid), (unlike_views, grid)):
        fast = render_inr(fit_inr(views, 32, FitSettings(**FAST)), at)
        truth = reconstruct_baseline(views, at, "tv", 0.002)
        cubic = reconstruct_baseline(views, at, "cubic")
        inside = (slice(3, -3),) * 3
        assert np.std((fast - truth)[inside]) < 1.2 * np.std((cubic - truth)[inside])


def test_intensities_that_no_model_can_hold_are_refused(unlike_views, begins):
    view = unlike_views[0]
    array = view.volume.array.copy()
    array[4, 4, 2] = 1e6 * array.max()
    spoilt = [replace(view, volume=Volume(array, view.volume.grid)), unlike_views[1]]
    with pytest.raises(InputError, match="too far beyond their 99th percentile"):
        prepare_fit(spoilt, 4, SMALL, CPU)


def test_a_fit_begins_at_total_variation_and_stays_near_where_noise_says_so(unlike_views, begins):
    noisy = with_noise(unlike_views, 30)
    apart = []
    for views in (unlike_views, noisy):
        problem = prepare_fit(views, 4, SMALL, CPU)
        grid, scale = problem.domain.grid, intensity_scale(views)
        around, part = with_whole_slices(views, grid)
        expected = regularised(views, around, automatic_weight(views, "tv")) / scale
        np.testing.assert_allclose(problem.start.values.numpy(), expected, atol=1e-3)
        inr = fit_inr(views, 4, SMALL)
        start = problem.start.values.numpy()[part] * scale
        apart.append((np.abs(render_inr(inr, grid) - start).mean(), problem.target_weight))
    assert apart[1][1] > 5 * apart[0][1]
    assert 0 < apart[0][0] < 20 and apart[1][0] < 20


def test_a_model_keeps_the_image_that_it_began_at(unlike_views, begins, tmp_path):
    inr = fit_inr(unlike_views, 4, SMALL)
    grid = inr.domain.grid
    save_inr(tmp_path / "model.safetensors", inr)
    again = load_inr(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(render_inr(again, grid), render_inr(inr, grid))
    without = render_inr(replace(inr, start=None), grid)
    whole = render_inr(inr, grid)
    expected = inr.start.at_world(grid.centres()).reshape(grid.shape) * inr.scale
    np.testing.assert_allclose(whole - without, expected, atol=1e-3 * inr.scale)


def test_a_model_whose_image_is_missing_is_refused(unlike_views, begins, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import save_file

    path = tmp_path / "model.safetensors"
    save_inr(path, fit_inr(unlike_views, 4, SMALL))
    with safe_open(path, "pt") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        header = stored.metadata()
    for broken in ({}, {"start": tensors["start"][1:].contiguous()}):
        kept = {name: tensor for name, tensor in tensors.items() if name != "start"}
        save_file(kept | broken, path, metadata=header)
        with pytest.raises(InputError, match="began at"):
            load_inr(path)


def test_what_interpolation_loses_is_given_back_to_points(unlike_views, monkeypatch):
    """They lie between the voxels of any grid, where an image is not interpolated linearly."""

    def largest(views):
        blurred = [
            replace(
                view, lost=np.full(view.volume.grid.shape, 1000 * intensity_scale([view]), "f4")
            )
            for view in views
        ]
        groups = prepare_fit(blurred, 4, SMALL, CPU).groups
        return min(float(group.values.abs().max()) for group in groups)

    shared = two_views(blobs((16, 16, 16), np.eye(4)))
    assert largest(unlike_views) > 500 and largest(shared) > 500
    monkeypatch.setattr(problems, "MAX_POINTS", 0)
    assert largest(unlike_views) > 500
