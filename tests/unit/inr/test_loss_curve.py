"""The loss curve: what it says, that it goes on where a fit goes on, and how it is drawn."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from cordinr.files import read_json
from cordinr.inr.fit import fit_inr
from cordinr.inr.loss_curve import MAX_CURVE_POINTS, LossCurve
from cordinr.inr.settings import FitSettings
from cordinr.pages.loss_chart import Curve, log_ticks, loss_chart, step_ticks
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


def test_a_chart_puts_every_point_where_the_axes_say():
    chart = loss_chart([Curve("a", "a.json", [50, 100], [1.0, 0.1]), Curve("b", "", [100], [0.01])])
    corners = [[float(n) for n in line.points.replace(",", " ").split()] for line in chart.lines]
    assert corners == [[260, 0, 520, 95], [520, 190]]
    places = dict(chart.y_ticks)
    assert (places[0], places[95], places[190]) == ("1", "0.1", "0.01")
    assert chart.x_ticks[0] == (0, "0") and chart.x_ticks[-1] == (520, "100")
    assert chart.text == "a: 1 to 0.1; b: 0.01 to 0.01"
    assert len({line.colour for line in chart.lines}) == 2
    assert loss_chart([Curve("none", "", [], [])]) is None
    assert loss_chart([Curve("flat", "", [1, 2], [0.0, 0.0])]) is None


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.3, 4, [0.2, 0.5, 1, 2, 5]),
        (0.1, 1, [0.1, 0.2, 0.5, 1]),
        (2, 2, [2, 5]),
        (3e-6, 0.2, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]),
    ],
)
def test_log_ticks_are_round_and_hold_all(low, high, ticks):
    assert log_ticks(low, high) == pytest.approx(ticks)


def test_step_ticks_are_few_and_round():
    for end in [*range(1, 1100), 1_000_000]:
        ticks = step_ticks(end)
        gap = ticks[1] - ticks[0]
        assert 2 <= len(ticks) <= 10 and ticks[-1] <= end < ticks[-1] + gap
        assert str(gap).rstrip("0") in {"1", "2", "5"}
