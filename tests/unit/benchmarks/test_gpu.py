"""What the benchmark of a GPU measures, on a CPU and of tiny problems."""

import threading
import time

import numpy as np
import pytest
import torch

from benchmarks import gpu, gpu_learning
from cordinr.inr import training
from cordinr.inr.settings import FitSettings
from cordinr.prior.features import CHANNELS
from cordinr.prior.learning import LearningSettings
from cordinr.prior.network import PriorArchitecture
from cordinr.prior.patches import PatchPool
from tests.helpers.support import blobs

CPU = torch.device("cpu")


def test_every_step_of_a_reconstruction_has_its_seconds(monkeypatch) -> None:
    step = training.Training.step

    def with_a_thread(self: training.Training, number: int) -> torch.Tensor:
        # As of torch on a GPU, whose backward pass calls Python in another thread.
        thread = threading.Thread(target=time.sleep, args=(0.05,))
        thread.start()
        thread.join()
        return step(self, number)

    monkeypatch.setattr(training.Training, "step", with_a_thread)
    image = blobs((10, 12, 10), np.eye(4))
    views = gpu.simulate(image)
    settings = FitSettings(width=8, channels=1, batch=64, max_steps=4)
    cost = gpu.measured(views, image.grid, CPU, 4, settings)
    parts = cost.steps
    assert parts["training"] > 4 * 0.05
    assert 0 < parts["of it, total variation"] < parts["preparation"]
    whole = parts["preparation"] + parts["training"] + parts["rendering"]
    assert whole < cost.seconds
    assert cost.seconds - whole < 0.5
    assert cost.progress.step == 4


def test_stopwatches_add_calls_up_and_leave_functions_as_they_were(monkeypatch) -> None:
    monkeypatch.setattr(gpu, "STEPS", {"pause": "tests.unit.benchmarks.test_gpu.pause"})
    before = pause
    with gpu.stopwatches() as spent:
        pause()
        with pytest.raises(ValueError, match="too long"):
            pause(too_long=True)
    assert pause is before
    assert 0.04 <= spent["pause"] < 1
    pause()
    assert spent["pause"] < 1


def pause(*, too_long: bool = False) -> None:
    time.sleep(0.02)
    if too_long:
        raise ValueError("too long")


def test_the_rate_of_learning_leaves_the_first_steps_out(monkeypatch) -> None:
    architecture = PriorArchitecture(CHANNELS, (4, 6), (1, 1))
    settings = LearningSettings(steps=60, batch=1, patch=8)
    examples = [gpu_learning.random_example(seed, (10, 10, 8)) for seed in (0, 1)]
    drawn = PatchPool.draw

    def slow_at_first(self: PatchPool, step: int) -> tuple:
        time.sleep(0.02 if step < 50 else 0.0)
        return drawn(self, step)

    monkeypatch.setattr(PatchPool, "draw", slow_at_first)
    started = time.perf_counter()
    rate, first = gpu_learning.learning_rate(examples, settings, architecture, CPU)
    spent = time.perf_counter() - started
    assert 1 < first < spent
    assert 10 / rate < spent - first
    assert rate > 10 / (spent - first)
