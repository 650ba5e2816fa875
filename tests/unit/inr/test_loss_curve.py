"""The loss curve: what it says, and that it goes on where a fit goes on."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from cordinr.files import read_json
from cordinr.inr.fit import fit_inr
from cordinr.inr.loss_curve import MAX_CURVE_POINTS, LossCurve
from cordinr.inr.settings import FitSettings
from tests.helpers.support import two_views


@pytest.mark.parametrize("total", [1, 99, 100, 101, 250])
def test_points_are_the_means_since_the_point_before(total):
    losses = np.random.default_rng(0).uniform(0.1, 1, total)
    kept = LossCurve(total)
    for step, loss in enumerate(losses, 1):
        kept.add(step, torch.tensor(loss))
    curve = kept.curve()
    assert len(curve["steps"]) <= MAX_CURVE_POINTS and curve["steps"][-1] == total
    edges = [0, *curve["steps"]]
    means = [losses[a:b].mean() for a, b in pairwise(edges)]
    np.testing.assert_allclose(curve["loss"], means, rtol=1e-4)


def test_a_loss_that_is_overwritten_later_was_counted_already():
    kept, loss = LossCurve(2), torch.tensor(1.0)
    kept.add(1, loss)
    loss.fill_(3.0)
    kept.add(2, loss)
    assert kept.curve()["loss"] == [1.0, 3.0]


@pytest.mark.parametrize("stop", [1, 7, 9, 200])
def test_it_goes_on_where_a_checkpoint_left_it(stop):
    losses = torch.rand(250, generator=torch.Generator().manual_seed(0))
    whole, first, second = LossCurve(250), LossCurve(250), LossCurve(250)
    for step, loss in enumerate(losses, 1):
        whole.add(step, loss)
        (first if step <= stop else second).add(step, loss)
        if step == stop:
            second.restore(first.text())
    assert second.curve()["steps"] == whole.curve()["steps"]
    np.testing.assert_allclose(second.curve()["loss"], whole.curve()["loss"], rtol=1e-4)


def test_the_curve_of_a_fit_is_of_its_losses(smooth_volume):
    reports = []
    settings = FitSettings(width=16, channels=2, batch=128, passes=8)
    fit_inr(two_views(smooth_volume), 8, settings, report=reports.append, report_every=0.0)
    losses = np.array([progress.loss for progress in reports])
    curve = reports[-1].losses
    every = curve["steps"][0]
    assert len(losses) > MAX_CURVE_POINTS and every > 1
    np.testing.assert_allclose(curve["loss"][3], losses[3 * every : 4 * every].mean(), rtol=1e-4)
    assert curve["loss"][-1] < curve["loss"][0] / 2


def test_the_record_of_a_fit_has_it(view_files, tmp_path, command):
    config, record = tmp_path / "quick.yaml", tmp_path / "fit.json"
    config.write_text("fit: {width: 16, channels: 2, batch: 512, passes: 2}")
    model = tmp_path / "m.safetensors"
    fit = ["fit", *view_files, "--fourier-dim", 8, "--config", config, "-o", model]
    code, said, _ = command(*fit, "--record", record)
    assert code == 0 and said == ""
    losses = read_json(record)["losses"]
    assert len(losses["steps"]) == len(losses["loss"]) > 1
