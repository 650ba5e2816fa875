"""A fit that a prior draws: its targets, what a model keeps of it, and its uncertainty."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from cordinr.acquisition.forward import with_whole_slices
from cordinr.acquisition.view import intensity_scale
from cordinr.errors import InputError
from cordinr.imaging.grid import Grid
from cordinr.inr import checkpoint as checkpoint_module
from cordinr.inr import learned_target
from cordinr.inr import problem as problems
from cordinr.inr.fit import fit_inr
from cordinr.inr.learned_target import learned_weight
from cordinr.inr.model_file import load_inr, save_inr
from cordinr.inr.noise import points_per_voxel
from cordinr.inr.problem import build_network, prepare_fit
from cordinr.inr.render import render_inr, render_with_std
from cordinr.inr.settings import FitSettings
from cordinr.inr.training import Training
from cordinr.prior.predict import predict_learned
from tests.helpers.priors import tiny_prior
from tests.helpers.support import blobs, two_views, with_noise

SMALL = FitSettings(width=16, channels=2, batch=256, passes=20)
CPU = torch.device("cpu")


@pytest.fixture
def views():
    return two_views(blobs((20, 20, 20), np.eye(4)))


@pytest.fixture
def prior():
    return tiny_prior(scale=30_000.0)


def test_points_are_drawn_to_the_image_of_the_prior(views, prior):
    problem = prepare_fit(views, 4, SMALL, CPU, prior=prior)
    learned = predict_learned(views, problem.domain.grid, prior)
    assert np.abs(learned.image - learned.variation).std() > 1
    for group in problem.groups:
        places = group.centres[:, None] + group.offsets + torch.as_tensor(problem.centre).float()
        index = problem.domain.grid.index(places.reshape(-1, 3).numpy()).round().astype(int)
        inside = ((index >= 0) & (index < problem.domain.grid.shape)).all(axis=1)
        wanted = learned.image[tuple(index[inside].T)] / intensity_scale(views)
        np.testing.assert_allclose(group.targets.flatten()[inside], wanted, atol=1e-3)
    assert problem.start is None and problem.smoothing_weight == 0
    kept = problem.error.values.numpy() * intensity_scale(views)
    np.testing.assert_allclose(kept, learned.standard_error, rtol=1e-2, atol=1e-2)


def test_an_inr_comes_nearer_to_the_image_of_its_prior(views, prior):
    apart = {}
    for name, drawn_by in (("learned", prior), ("tv", None)):
        inr = fit_inr(views, 8, SMALL, prior=drawn_by)
        grid = inr.domain.grid
        wanted = predict_learned(views, grid, prior).image
        apart[name] = np.abs(render_inr(inr, grid) - wanted)[2:-2, 2:-2, 2:-2].mean()
    assert apart["learned"] < 0.8 * apart["tv"]


@pytest.mark.parametrize(
    ("noise", "passes", "weight"),
    [
        (0.0, 40.0, 0.1),
        (0.0, 80.0, 0.1),
        (0.0, 20.0, 0.8),
        (0.0, 12.5, 3.0),
        (0.0, 0.01, 3.0),
        (0.0009, 40.0, 1.0),
        (0.0009, 12.5, 3.0),
        (0.0045, 12.5, 5.0),
    ],
)
def test_the_weight_goes_by_the_noise_and_by_the_passes(noise, passes, weight):
    """A fit that sees its views less often follows the learned image more closely."""
    assert learned_weight(noise, passes) == pytest.approx(weight)


@pytest.mark.parametrize("passes", [10, 20, 40])
def test_a_fit_weighs_by_the_passes_that_it_will_make(views, prior, passes):
    """Also where the maximum number of steps, not the setting, says how many these are."""
    voxels = sum(view.volume.array.size for view in views)
    steps = round(passes * voxels / SMALL.batch)
    for settings in (replace(SMALL, passes=passes), replace(SMALL, passes=40, max_steps=steps)):
        problem = prepare_fit(views, 4, settings, CPU, prior=prior)
        training = Training(build_network(problem, 0), problem.groups, settings)
        done = training.steps * training.batch / training.voxels
        assert done == pytest.approx(passes, rel=0.05)
        noise = 0.0  # blobs have none, but for what their edges look like
        wanted = learned_weight(noise, passes) / learned_weight(noise, 40)
        full = prepare_fit(views, 4, replace(SMALL, passes=40), CPU, prior=prior)
        assert problem.target_weight / full.target_weight == pytest.approx(wanted, rel=0.15)


def test_a_fit_of_few_passes_is_near_the_learned_image(views, prior, monkeypatch):
    apart = {}
    for name, most in (("close", learned_target.MAX_TARGET_WEIGHT), ("loose", 0.1)):
        with monkeypatch.context() as changed:
            changed.setattr(learned_target, "MAX_TARGET_WEIGHT", most)
            inr = fit_inr(views, 4, replace(SMALL, passes=8), prior=prior)
        wanted = predict_learned(views, inr.domain.grid, prior).image
        apart[name] = np.abs(render_inr(inr, inr.domain.grid) - wanted)[2:-2, 2:-2, 2:-2].mean()
    assert apart["close"] < 0.8 * apart["loose"]


def test_the_weight_in_a_fit_goes_by_the_noise(views, prior):
    quiet, loud = (
        prepare_fit(each, 4, SMALL, CPU, prior=prior) for each in (views, with_noise(views, 60))
    )
    assert loud.target_weight > 2 * quiet.target_weight
    assert loud.smoothing_weight == 0


def test_a_large_fit_begins_at_the_image_of_the_prior(views, prior, monkeypatch):
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(0.15), -np.sin(0.15)], [np.sin(0.15), np.cos(0.15)]]
    oblique = [two_views(blobs((20, 20, 20), turn))[0], views[1]]
    monkeypatch.setattr(problems, "MAX_POINTS_LEARNED", 1)
    problem = prepare_fit(oblique, 4, SMALL, CPU, prior=prior)
    around, _ = with_whole_slices(oblique, problem.domain.grid)
    learned = predict_learned(oblique, around, prior)
    start = problem.start.values.numpy() * intensity_scale(oblique)
    np.testing.assert_allclose(start, learned.image, rtol=1e-2, atol=1)
    assert problem.error is not None
    # It has nothing to catch up, however few its passes are.
    points = points_per_voxel(problem.groups, problem.domain.grid, problem.centre)
    assert problem.target_weight * points == pytest.approx(learned_weight(0.0))


def test_what_is_uncertain_in_the_image_is_so_in_the_rendering(views, prior):
    inr = fit_inr(views, 4, SMALL, prior=prior)
    grid = inr.domain.grid
    image, std = render_with_std(inr, grid)
    wanted = predict_learned(views, grid, prior).standard_error
    np.testing.assert_allclose(std, wanted, rtol=1e-2, atol=1e-2)
    assert np.abs(image).max() > 0
    # Elsewhere it is interpolated; with an ensemble the spread of its members is added in squares.
    finer = Grid(tuple(2 * n - 1 for n in grid.shape), grid.affine @ np.diag([0.5, 0.5, 0.5, 1]))
    between = render_with_std(inr, finer)[1]
    np.testing.assert_allclose(between[::2, ::2, ::2], std, rtol=1e-4)
    means = (std[:-1] + std[1:]) / 2
    np.testing.assert_allclose(between[1::2, ::2, ::2], means, rtol=1e-3)
    several = fit_inr(views, 4, replace(SMALL, members=3), prior=prior)
    spread = render_with_std(replace(several, error=None), grid)[1]
    assert spread.max() > 0
    both = render_with_std(several, grid)[1]
    np.testing.assert_allclose(both**2, spread**2 + wanted**2, rtol=0.02, atol=0.1)


def test_a_model_keeps_its_standard_error(views, prior, tmp_path):
    inr = fit_inr(views, 4, SMALL, prior=prior)
    path = tmp_path / "model.safetensors"
    save_inr(path, inr)
    for one, other in zip(
        render_with_std(load_inr(path), inr.domain.grid),
        render_with_std(inr, inr.domain.grid),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    with safe_open(path, "pt") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        header = stored.metadata()
    save_file({k: v for k, v in tensors.items() if k != "error"}, path, metadata=header)
    with pytest.raises(InputError, match="standard error is not what its header says"):
        load_inr(path)


def test_a_checkpoint_of_a_fit_that_another_prior_draws_is_ignored(
    views, prior, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoint_module, "INTERVAL_S", 0.0)
    monkeypatch.setattr(checkpoint_module.Checkpoint, "remove", lambda self: None)
    file, seen = tmp_path / "checkpoint", []
    fit_inr(views, 4, SMALL, checkpoint=file, prior=prior)
    for other in (tiny_prior(scale=10_000.0), replace(prior, calibration=2.0)):
        assert other.digest != prior.digest
        fit_inr(views, 4, SMALL, checkpoint=file, prior=other, report=seen.append, report_every=0)
        assert seen[0].step == 1
        seen.clear()
    same = tiny_prior(scale=30_000.0)
    fit_inr(views, 4, SMALL, checkpoint=tmp_path / "2", prior=prior)
    fit_inr(views, 4, SMALL, checkpoint=tmp_path / "2", prior=same, report=seen.append)
    assert same.digest == prior.digest and seen[0].step > 1


def test_without_gpu_memory_the_learned_image_is_computed_on_the_cpu(
    views, prior, monkeypatch, notes
):
    expected = prepare_fit(views, 4, SMALL, CPU, prior=prior).groups[0].targets
    real, asked = learned_target.predict_learned, []

    def first_on_the_gpu(*arguments, **options):
        asked.append(options["device"])
        if len(asked) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*arguments, **options)

    monkeypatch.setattr(learned_target, "predict_learned", first_on_the_gpu)
    found = prepare_fit(views, 4, SMALL, CPU, prior=prior).groups[0].targets
    assert torch.equal(found, expected)
    assert any("on the CPU, for want of GPU memory" in note for note in notes())


def test_without_a_prior_a_model_has_no_standard_error(views):
    assert fit_inr(views, 4, SMALL).error is None
