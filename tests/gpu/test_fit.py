"""A fit on a GPU: the same model as on a CPU, the same steps from a graph, and small memories."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import cordinr.inr.checkpoint
from cordinr.acquisition.domain import FitDomain
from cordinr.acquisition.overlap import coverage
from cordinr.classical.reconstruct import reconstruct_baseline, regularised
from cordinr.errors import InputError
from cordinr.evaluation.metrics import psnr
from cordinr.imaging.body import intensity_range
from cordinr.inr.cuda_graph import WARMUP_CALLS
from cordinr.inr.device import on_device_or_cpu
from cordinr.inr.fit import fit_inr
from cordinr.inr.problem import build_network, prepare_fit
from cordinr.inr.render import render_inr, render_with_std
from cordinr.inr.settings import FitSettings
from cordinr.inr.training import Training
from tests.helpers.support import blobs, two_views

FOURIER_DIM = 16
LARGE = FitSettings(width=256, depth=4, channels=1, batch=10**6, max_steps=8)
"""All voxels in every step, whose activations take far more memory than all that is kept."""


def training_on(device: torch.device, views, settings: FitSettings) -> Training:
    torch.manual_seed(settings.seed)
    problem = prepare_fit(views, FOURIER_DIM, settings, device)
    network = build_network(problem, settings.seed).to(device)
    weights = {
        "smoothing_weight": problem.smoothing_weight,
        "target_weight": problem.target_weight,
    }
    return Training(network, problem.groups, settings, **weights)


@pytest.fixture
def large_views():
    """Views of 73,728 voxels each."""
    return two_views(blobs((64, 72, 64), np.eye(4)))


@pytest.mark.parametrize("changes", [{}, {"channels": 0, "sigma": 0.03}, {"members": 2}])
def test_a_seed_gives_one_model_on_every_device(
    gpu, smooth_volume, settings, full_precision, changes
):
    views, settings = two_views(smooth_volume), replace(settings, **changes)
    on_gpu, on_cpu = (
        render_inr(fit_inr(views, FOURIER_DIM, settings, device=device), smooth_volume.grid)
        for device in (gpu, torch.device("cpu"))
    )
    other = fit_inr(views, FOURIER_DIM, replace(settings, seed=1))
    by_seed = (render_inr(other, smooth_volume.grid) - on_cpu).std()
    assert (on_gpu - on_cpu).std() < 0.02 * by_seed


@pytest.mark.parametrize("members", [1, 3])
def test_an_image_is_as_good_from_either_device(gpu, smooth_volume, settings, members):
    """In the precision that each device takes by itself."""
    views, grid = two_views(smooth_volume), smooth_volume.grid
    truth, fov = smooth_volume.array, coverage(views, grid)
    settings = replace(settings, members=members)
    scores = []
    for device in (gpu, torch.device("cpu")):
        inr = fit_inr(views, FOURIER_DIM, settings, device=device)
        image, std = render_with_std(inr, grid, device)
        assert (std.max() > 0) == (members > 1)
        scores.append(psnr(image, truth, fov, intensity_range(truth)))
    assert scores[0] == pytest.approx(scores[1], abs=0.1)


def test_a_graphed_step_does_what_an_ordinary_one_does(gpu, smooth_volume, settings):
    views, steps = two_views(smooth_volume), WARMUP_CALLS + 12
    graphed, ordinary = (training_on(gpu, views, replace(settings, members=2)) for _ in range(2))
    ordinary.graphed.capturable = False
    losses = [[float(each.step(k)) for k in range(steps)] for each in (graphed, ordinary)]
    assert graphed.graphed._graph is not None and ordinary.graphed._graph is None
    assert len(set(losses[0])) == steps
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
    pairs = zip(graphed.network.parameters(), ordinary.network.parameters(), strict=True)
    for one, other in pairs:
        assert (one - other).norm() < 0.05 * (other.norm() + 1e-3)


@pytest.mark.parametrize(
    "changes", [{"dropout": 0.1}, {"loss": "l1"}, {"encoding": "siren", "rate": 5e-4}]
)
def test_every_kind_of_step_can_be_captured(gpu, smooth_volume, settings, changes):
    training = training_on(gpu, two_views(smooth_volume), replace(settings, **changes))
    losses = [float(training.step(k)) for k in range(training.steps)]
    assert training.graphed.capturable and training.graphed._graph is not None
    assert len(set(losses)) == len(losses) and losses[-1] < losses[0]


def test_a_step_that_is_too_large_is_taken_in_parts(gpu, large_views, memory_limit, notes):
    whole = training_on(gpu, large_views, LARGE)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved(gpu)
    torch.cuda.reset_peak_memory_stats(gpu)
    losses = [float(whole.step(k)) for k in range(LARGE.max_steps)]
    needed = torch.cuda.max_memory_reserved(gpu) - before
    del whole
    divided = training_on(gpu, large_views, LARGE)
    memory_limit(needed // 3)
    divided.run(lambda progress: None, 1e9)
    assert divided.parts >= 2
    assert any("out of GPU memory; going on with" in note for note in notes())
    assert divided.losses.curve()["loss"] == pytest.approx(losses, rel=0.02)


def test_a_gpu_that_is_too_small_is_one_sentence(gpu, large_views, memory_limit):
    training = training_on(gpu, large_views, LARGE)
    memory_limit(0)
    with pytest.raises(InputError, match="the GPU is out of memory with"):
        training.run(lambda progress: None, 1e9)


def test_total_variation_goes_to_the_cpu_where_the_gpu_is_full(
    gpu, large_views, memory_limit, notes
):
    grid = FitDomain.of(large_views, "crossed").grid
    memory_limit(0)
    image = on_device_or_cpu(
        lambda device: regularised(large_views, grid, 0.01, device), gpu, "total variation"
    )
    assert any("computed on the CPU, for want of GPU memory" in note for note in notes())
    assert np.array_equal(image, reconstruct_baseline(large_views, grid, "tv", 0.01))


def test_a_stopped_fit_goes_on(gpu, smooth_volume, settings, tmp_path, monkeypatch):
    views, file = two_views(smooth_volume), tmp_path / "model.checkpoint"
    whole, other = (
        render_inr(fit_inr(views, FOURIER_DIM, each, device=gpu), smooth_volume.grid)
        for each in (settings, replace(settings, seed=1))
    )
    monkeypatch.setattr(cordinr.inr.checkpoint, "INTERVAL_S", 0.0)
    calls = SimpleNamespace(count=0)
    step = Training.step

    def stop_in_the_middle(self, number):
        calls.count += 1
        if calls.count == 15:
            raise KeyboardInterrupt
        return step(self, number)

    with monkeypatch.context() as patched:
        patched.setattr(Training, "step", stop_in_the_middle)
        with pytest.raises(KeyboardInterrupt):
            fit_inr(views, FOURIER_DIM, settings, device=gpu, checkpoint=file)
    assert file.exists()
    again = fit_inr(views, FOURIER_DIM, settings, device=gpu, checkpoint=file)
    image = render_inr(again, smooth_volume.grid)
    assert not file.exists()
    assert (image - whole).std() < 0.5 * (other - whole).std()
