"""Fitting: it learns, it repeats itself, it goes on after a stop."""

import dataclasses
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import cordinr.inr.checkpoint
from cordinr.acquisition.view import View, intensity_scale
from cordinr.errors import InputError
from cordinr.imaging.volume import Volume
from cordinr.inr.fit import fit_inr
from cordinr.inr.model_file import load_inr, save_inr
from cordinr.inr.render import POINTS_PER_BLOCK, render_inr, render_with_std
from cordinr.inr.settings import FitSettings
from cordinr.inr.training import Training, schedule
from tests.helpers.support import two_views
from tests.helpers.trainings import small_training

pytestmark = pytest.mark.slow

SMALL = FitSettings(width=32, channels=2, batch=256, passes=16)


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
        {"encoding": "none"},
        {"channels": 0},
        {"channels": 0, "encoding": "siren", "rate": 5e-4},
        {"members": 3},
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


@pytest.mark.parametrize("members", [1, 2])
def test_a_stopped_fit_goes_on_to_the_same_model(smooth_volume, tmp_path, monkeypatch, members):
    settings = dataclasses.replace(SMALL, members=members)
    views, file = two_views(smooth_volume), tmp_path / "model.checkpoint"
    whole = fit_inr(views, 8, settings)
    monkeypatch.setattr(cordinr.inr.checkpoint, "INTERVAL_S", 0.0)
    part_loss, calls = Training._part_loss, []

    def stop_in_the_middle(self, *arguments):
        calls.append(1)
        if len(calls) == 37:
            raise KeyboardInterrupt
        return part_loss(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Training, "_part_loss", stop_in_the_middle)
        fit_inr(views, 8, settings, checkpoint=file)
    assert file.exists()
    seen = []
    again = fit_inr(views, 8, settings, checkpoint=file, report=seen.append, report_every=0.0)
    assert seen[0].step == 37 and not file.exists()
    assert torch.equal(weights(whole), weights(again))


def test_a_checkpoint_of_another_fit_is_ignored(smooth_volume, tmp_path, monkeypatch):
    views, file = two_views(smooth_volume), tmp_path / "model.checkpoint"
    monkeypatch.setattr(cordinr.inr.checkpoint, "INTERVAL_S", 0.0)
    monkeypatch.setattr(cordinr.inr.checkpoint.Checkpoint, "remove", lambda self: None)
    fit_inr(views, 8, SMALL, checkpoint=file)
    other = dataclasses.replace(SMALL, seed=9)
    seen = []
    fit_inr(views, 8, other, checkpoint=file, report=seen.append, report_every=0.0)
    assert seen[0].step == 1
    file.write_bytes(b"damaged")
    seen.clear()
    fit_inr(views, 8, SMALL, checkpoint=file, report=seen.append, report_every=0.0)
    assert seen[0].step == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda header, tensors: header.update(losses="{}"),
        lambda header, tensors: header.update(
            losses='{"steps": [1], "loss": [], "sum": 0, "count": 0}'
        ),
        lambda header, tensors: header.update(losses="[]"),
        lambda header, tensors: header.update(step="three"),
        lambda header, tensors: header.pop("seconds"),
        lambda header, tensors: tensors.pop("network.last"),
        lambda header, tensors: tensors.update({"network.last": torch.zeros(3)}),
        lambda header, tensors: tensors.update({"optimiser.1.exp_avg": torch.zeros(3)}),
        lambda header, tensors: tensors.pop("optimiser.0.step"),
        lambda header, tensors: tensors.update({"optimiser.99.step": torch.zeros(())}),
        lambda header, tensors: tensors.update({"something": torch.zeros(())}),
    ],
)
def test_a_damaged_checkpoint_leaves_nothing_behind(smooth_volume, tmp_path, notes, damage):
    """A fit that begins anew has to give the model of one without a checkpoint, bit for bit."""
    views, file = two_views(smooth_volume), tmp_path / "model.checkpoint"
    whole = fit_inr(views, 8, SMALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cordinr.inr.checkpoint, "INTERVAL_S", 0.0)
        patch.setattr(cordinr.inr.checkpoint.Checkpoint, "remove", lambda self: None)
        fit_inr(views, 8, SMALL, checkpoint=file)
    with safe_open(file, framework="pt") as stored:
        header = stored.metadata()
        tensors = {name: stored.get_tensor(name).clone() for name in stored.keys()}  # noqa: SIM118
    header["step"] = "3"
    damage(header, tensors)
    save_file(tensors, file, metadata=header)
    again = fit_inr(views, 8, SMALL, checkpoint=file)
    assert torch.equal(weights(whole), weights(again))
    assert any("is damaged; beginning anew" in note for note in notes())


def test_a_checkpoint_under_other_weights_of_the_loss_is_ignored(smooth_volume, tmp_path):
    def checkpoint(**weights):
        return small_training(smooth_volume, 1, tmp_path / "checkpoint", **weights).checkpoint

    checkpoint().write(3, 1.0)
    assert checkpoint().resume() == (3, 1.0)
    assert checkpoint(smoothing_weight=0.1).resume() == (0, 0.0)
    assert checkpoint(target_weight=0.1).resume() == (0, 0.0)


def test_a_loss_that_is_not_finite_stops_the_fit(smooth_volume, tmp_path):
    view = two_views(smooth_volume)[0]
    array = view.volume.array.copy()
    array[0, 0, 0] = np.nan
    broken = View(Volume(array, view.volume.grid), view.axis, view.profile)
    alone = dataclasses.replace(SMALL, tv_prior=0)
    with pytest.raises(InputError, match="at step"):
        fit_inr([view, broken], 8, alone, checkpoint=tmp_path / "c", report_every=0.0)
    assert list(tmp_path.iterdir()) == []


def test_the_scale_is_taken_from_the_views_and_undone(smooth_volume):
    views = two_views(smooth_volume)
    times = [View(Volume(v.volume.array * 1000, v.volume.grid), v.axis, v.profile) for v in views]
    assert intensity_scale(times) == pytest.approx(1000 * intensity_scale(views), rel=1e-5)
    low, high = (render_inr(fit_inr(v, 8, SMALL), smooth_volume.grid) for v in (views, times))
    np.testing.assert_allclose(high, low * 1000, rtol=0.02)


def test_an_ensemble_is_the_mean_and_the_standard_deviation_of_its_members(smooth_volume):
    views = two_views(smooth_volume)
    inr = fit_inr(views, 8, dataclasses.replace(SMALL, members=3))
    points = torch.as_tensor(smooth_volume.grid.centres() - inr.centre, dtype=torch.float32)
    with torch.inference_mode():
        members = (inr.network(points) * inr.scale).numpy()
    image, std = render_with_std(inr, smooth_volume.grid)
    assert members.shape[0] == 3 and not np.allclose(members[0], members[1], rtol=1e-4)
    np.testing.assert_allclose(image.ravel(), members.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(std.ravel(), members.std(axis=0), rtol=1e-2, atol=1e-2)
    alone = fit_inr(views, 8, SMALL)
    assert not render_with_std(alone, smooth_volume.grid)[1].any()


def test_members_learn_as_fast_as_one(smooth_volume):
    """The gradient of a member does not shrink with their number."""
    one = small_training(smooth_volume, members=1)
    three = small_training(smooth_volume, members=3)
    with torch.no_grad():
        one.network.lattices.table.fill_(0.01)
        for name, parameter in three.network.named_parameters():
            parameter.copy_(dict(one.network.named_parameters())[name][:1].expand_as(parameter))
    for training in (one, three):
        training.network.lattices.shift.fill_(0.5)
        training.step(0)
    assert three.network.last.grad.shape[0] == 3
    torch.testing.assert_close(three.network.last.grad[1], one.network.last.grad[0])


def test_more_than_memory_holds_is_said_before_the_work(smooth_volume):
    with pytest.raises(InputError, match=r"100000 member\(s\) .* GB are free; lower fit.members"):
        fit_inr(two_views(smooth_volume), 8, dataclasses.replace(SMALL, members=100_000))


def test_out_of_gpu_memory_goes_on_in_parts(smooth_volume, monkeypatch, notes):
    seen, parts = [], []
    part_loss = Training._part_loss

    def small_gpu(self, part):
        parts.append(self.parts)
        if self.parts < 4 and len(parts) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return part_loss(self, part)

    monkeypatch.setattr(Training, "_part_loss", small_gpu)
    fit_inr(two_views(smooth_volume), 8, SMALL, report=seen.append)
    assert parts[:9] == [1, 1, 1, 1, 2, 4, 4, 4, 4]
    assert seen[-1].step == seen[-1].steps == 3 + (len(parts) - 5) / 4
    assert "out of GPU memory; going on with 64 view voxels at a time." in notes()


def test_a_step_in_parts_is_the_same_step(smooth_volume, monkeypatch):
    monkeypatch.setattr("cordinr.inr.training.autocast", lambda device: nullcontext())
    gradients = []
    for parts in (1, 4):
        training = small_training(smooth_volume, members=2)
        training.parts = parts
        loss = training.step(0)
        gradients.append((loss, training.network.last.grad, training.network.lattices.table.grad))
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-7)


def test_a_gpu_without_room_for_a_small_part_is_named(smooth_volume, monkeypatch):
    def full(self, part):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Training, "_part_loss", full)
    with pytest.raises(InputError, match="out of memory with 64 view voxels at a time"):
        fit_inr(two_views(smooth_volume), 8, SMALL)


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
    monkeypatch.setitem(POINTS_PER_BLOCK, "cpu", 1000)
    np.testing.assert_allclose(render_inr(inr, smooth_volume.grid), whole, rtol=1e-4)


def test_a_model_renders_the_same_after_it_was_stored(smooth_volume, tmp_path):
    inr = fit_inr(two_views(smooth_volume), 8, SMALL)
    save_inr(tmp_path / "model.safetensors", inr)
    again = load_inr(tmp_path / "model.safetensors")
    before, after = (render_inr(each, smooth_volume.grid) for each in (inr, again))
    np.testing.assert_array_equal(before, after)
