"""Fitting: it learns, it repeats itself, it goes on after a stop."""

import dataclasses

import numpy as np
import pytest
import torch

import cordinr.checkpoint
from cordinr.acquisition import View, intensity_scale
from cordinr.errors import InputError
from cordinr.fit import Training, fit_inr, schedule
from cordinr.network import save_inr
from cordinr.render import render_inr
from cordinr.settings import FitSettings
from cordinr.volume import Volume
from support import two_views

SMALL = FitSettings(sigma=0.03, width=32, depth=2, batch=128, passes=8)


def weights(inr):
    return torch.cat([p.flatten() for p in inr.network.state_dict().values()])


def test_an_inr_recovers_a_smooth_image_from_two_views(smooth_volume):
    inr = fit_inr(two_views(smooth_volume), 32, dataclasses.replace(SMALL, passes=40))
    image = render_inr(inr, smooth_volume.grid)
    error = np.sqrt(np.mean((image - smooth_volume.array) ** 2))
    assert error < 0.1 * smooth_volume.array.std()


@pytest.mark.parametrize(
    "changes",
    [
        {"encoding": "siren"},
        {"encoding": "none"},
        {"optimiser": "adam"},
        {"loss": "l1"},
        {"dropout": 0.05},
        {"activation": "relu"},
    ],
)
def test_every_choice_lowers_the_loss(smooth_volume, changes):
    seen = []
    settings = dataclasses.replace(SMALL, **changes)
    fit_inr(two_views(smooth_volume), 16, settings, report=seen.append, report_every=0.0)
    first, last = (np.mean([p.loss for p in part]) for part in (seen[:5], seen[-5:]))
    assert last < 0.7 * first


def test_same_seed_same_model_bit_for_bit(smooth_volume, tmp_path):
    views = two_views(smooth_volume)
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file, seed in zip(files, (1, 1, 2), strict=True):
        save_inr(file, fit_inr(views, 8, dataclasses.replace(SMALL, seed=seed)))
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()


@pytest.mark.parametrize("optimiser", ["muon", "adam"])
def test_a_stopped_fit_goes_on_to_the_same_model(smooth_volume, tmp_path, monkeypatch, optimiser):
    settings = dataclasses.replace(SMALL, optimiser=optimiser)
    views, file = two_views(smooth_volume), tmp_path / "model.checkpoint"
    whole = fit_inr(views, 8, settings)
    monkeypatch.setattr(cordinr.checkpoint, "INTERVAL", 0.0)
    batch_loss, calls = Training._batch_loss, []

    def stop_in_the_middle(self, *arguments):
        calls.append(1)
        if len(calls) == 37:
            raise KeyboardInterrupt
        return batch_loss(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Training, "_batch_loss", stop_in_the_middle)
        fit_inr(views, 8, settings, checkpoint=file)
    assert file.exists()
    seen = []
    again = fit_inr(views, 8, settings, checkpoint=file, report=seen.append, report_every=0.0)
    assert seen[0].step == 37 and not file.exists()
    assert torch.equal(weights(whole), weights(again))


def test_a_checkpoint_of_another_fit_is_ignored(smooth_volume, tmp_path, monkeypatch):
    views, file = two_views(smooth_volume), tmp_path / "model.checkpoint"
    monkeypatch.setattr(cordinr.checkpoint, "INTERVAL", 0.0)
    monkeypatch.setattr(cordinr.checkpoint.Checkpoint, "remove", lambda self: None)
    fit_inr(views, 8, SMALL, checkpoint=file)
    other = dataclasses.replace(SMALL, seed=9)
    seen = []
    fit_inr(views, 8, other, checkpoint=file, report=seen.append, report_every=0.0)
    assert seen[0].step == 1
    file.write_bytes(b"damaged")
    seen.clear()
    fit_inr(views, 8, SMALL, checkpoint=file, report=seen.append, report_every=0.0)
    assert seen[0].step == 1


def test_a_loss_that_is_not_finite_stops_the_fit(smooth_volume, tmp_path):
    view = two_views(smooth_volume)[0]
    array = view.volume.array.copy()
    array[0, 0, 0] = np.nan
    broken = View(Volume(array, view.volume.grid), view.axis, view.profile)
    with pytest.raises(InputError, match="at step"):
        fit_inr([view, broken], 8, SMALL, checkpoint=tmp_path / "c", report_every=0.0)
    assert list(tmp_path.iterdir()) == []


def test_the_scale_is_taken_from_the_views_and_undone(smooth_volume):
    views = two_views(smooth_volume)
    times = [View(Volume(v.volume.array * 1000, v.volume.grid), v.axis, v.profile) for v in views]
    assert intensity_scale(times) == pytest.approx(1000 * intensity_scale(views), rel=1e-5)
    low, high = (render_inr(fit_inr(v, 8, SMALL), smooth_volume.grid) for v in (views, times))
    np.testing.assert_allclose(high, low * 1000, rtol=0.02)


def test_dimension_and_views_are_checked(smooth_volume):
    with pytest.raises(InputError, match="Fourier dimension 0"):
        fit_inr(two_views(smooth_volume), 0, SMALL)


def test_rates_rise_then_fall_to_zero():
    factors = [schedule(step, 100, 10) for step in range(101)]
    assert factors[0] == pytest.approx(0.1) and max(factors) <= 1 and factors[100] < 1e-9
    assert np.argmax(factors) in (9, 10)


def test_rendering_does_not_depend_on_blocks(smooth_volume, monkeypatch):
    inr = fit_inr(two_views(smooth_volume), 8, SMALL)
    whole = render_inr(inr, smooth_volume.grid)
    monkeypatch.setattr("cordinr.render.BLOCK", 1000)
    np.testing.assert_allclose(render_inr(inr, smooth_volume.grid), whole, rtol=0.02)
