"""The training loop: what it minimises, and that it can be repeated and resumed."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from cordinr.errors import InputError
from cordinr.prior.features import axis_channels
from cordinr.prior.learning import LearningSettings, learn, losses
from cordinr.prior.learning_state import LearningState
from cordinr.prior.patches import PatchPool
from tests.helpers.priors import TINY, examples

SETTINGS = LearningSettings(steps=6, batch=2, patch=12, learning_rate=3e-3)


def weights(network) -> bytes:
    return b"".join(each.detach().numpy().tobytes() for each in network.parameters())


def test_it_learns():
    # What is missing is half of what the views say, and that is in the channels.
    said = [axis_channels(axis).start for axis in range(3)]
    shown = [replace(each, target=each.channels[said].sum(axis=0) / 2) for each in examples()]
    gains = []
    settings = replace(SETTINGS, steps=60, batch=1, patch=8)
    learn(shown, settings, architecture=TINY, report=lambda each: gains.append(each.gain))
    assert gains[-1] > 3 > gains[0]


def test_it_is_the_same_again():
    one, other = (learn(examples(), SETTINGS, architecture=TINY) for _ in range(2))
    assert weights(one) == weights(other)
    third = learn(examples(), replace(SETTINGS, seed=1), architecture=TINY)
    assert weights(one) != weights(third)


def test_it_goes_on_from_a_network(tmp_path):
    first = learn(examples(), SETTINGS, architecture=TINY)
    before = weights(first)
    slow = replace(SETTINGS, seed=1, learning_rate=1e-40)
    assert weights(learn(examples(), slow, start=first)) == before
    assert weights(learn(examples(), replace(SETTINGS, seed=1), start=first)) != before
    assert weights(first) == before
    # A stopped run does not go on where another network was its beginning.
    path = tmp_path / "state.safetensors"
    asked = iter([True])
    learn(
        examples(),
        SETTINGS,
        start=first,
        checkpoint=path,
        is_stopped=lambda: next(asked, False),
    )
    other = learn(examples(), slow, architecture=TINY)
    resumed = learn(examples(), SETTINGS, start=other, checkpoint=path)
    assert weights(resumed) == weights(learn(examples(), SETTINGS, start=other))


class StoppedError(Exception):
    pass


def test_a_stopped_run_goes_on_to_the_same_end(tmp_path, monkeypatch):
    path = tmp_path / "state.safetensors"
    monkeypatch.setattr("cordinr.prior.learning_state.INTERVAL_S", 0.0)
    settings = replace(SETTINGS, steps=70, patch=8, batch=1)
    whole = learn(examples(), settings, architecture=TINY)

    def stop(report) -> None:
        if report.step == 50:
            raise StoppedError

    with pytest.raises(StoppedError):
        learn(examples(), settings, architecture=TINY, checkpoint=path, report=stop)
    assert path.exists()
    steps = []
    resumed = learn(
        examples(),
        settings,
        architecture=TINY,
        checkpoint=path,
        report=lambda each: steps.append(each.step),
    )
    assert (steps[0], steps[-1]) == (51, 70)
    assert weights(resumed) == weights(whole)
    assert not path.exists()


def test_a_run_that_is_told_to_stop_writes_how_far_it_came(tmp_path):
    path = tmp_path / "state.safetensors"
    settings = replace(SETTINGS, steps=6, patch=8, batch=1)
    answers = iter([False, False, True])
    learn(
        examples(),
        settings,
        architecture=TINY,
        checkpoint=path,
        is_stopped=lambda: next(answers),
    )
    assert path.exists() and next(answers, "asked three times") == "asked three times"
    asked = []
    resumed = learn(
        examples(),
        settings,
        architecture=TINY,
        checkpoint=path,
        is_stopped=lambda: bool(asked.append(1)),
    )
    assert len(asked) == 2  # after the fourth step and the fifth; after the last nobody asks
    assert weights(resumed) == weights(learn(examples(), settings, architecture=TINY))
    assert not path.exists()


def test_a_run_goes_on_with_the_same_images_only(tmp_path, monkeypatch):
    """People of two datasets may have the same labels: nobody may be in a prior unsaid."""
    path = tmp_path / "state.safetensors"
    monkeypatch.setattr("cordinr.prior.learning_state.INTERVAL_S", 0.0)
    settings = replace(SETTINGS, steps=70, patch=8, batch=1)

    def stop(report) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        learn(examples(), settings, architecture=TINY, checkpoint=path, report=stop)
    others = [replace(each, target=each.target * np.float16(0.5)) for each in examples()]
    steps = []
    resumed = learn(
        others,
        settings,
        architecture=TINY,
        checkpoint=path,
        report=lambda each: steps.append(each.step),
    )
    assert (steps[0], steps[-1]) == (1, 70)
    assert weights(resumed) == weights(learn(others, settings, architecture=TINY))


def test_the_state_of_another_run_and_a_damaged_one_are_ignored(tmp_path, caplog):
    path = tmp_path / "state.safetensors"
    network = torch.nn.Linear(2, 2)
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.ones(2)).sum().backward()
    optimiser.step()
    LearningState(path, network, optimiser, {"seed": 1}).write(5, 2.0)
    assert LearningState(path, network, optimiser, {"seed": 1}).resume() == (5, 2.0)
    with caplog.at_level(logging.WARNING):
        assert LearningState(path, network, optimiser, {"seed": 2}).resume() == (0, 0.0)
    assert "another run" in caplog.text
    path.write_bytes(path.read_bytes()[:-3])
    with caplog.at_level(logging.WARNING):
        assert LearningState(path, network, optimiser, {"seed": 1}).resume() == (0, 0.0)
    assert "is damaged" in caplog.text


def test_a_loss_that_is_not_a_number_is_said():
    broken = [replace(each, channels=np.full_like(each.channels, np.inf)) for each in examples()]
    with pytest.raises(InputError, match="is not a finite number at step 6"):
        learn(broken, SETTINGS, architecture=TINY)


def test_the_variance_does_not_act_on_the_correction():
    torch.manual_seed(0)
    correction, log_variance, target = torch.randn(3, 1, 4, 4, 4)
    correction.requires_grad_(True)
    log_variance.requires_grad_(True)
    counts = (torch.rand(1, 4, 4, 4) < 0.7).float()
    loss, error, start = losses(correction, log_variance, target, counts)
    loss.backward()
    expected = 2 * (correction - target) * counts / counts.sum()
    torch.testing.assert_close(correction.grad, expected.detach())
    chosen = counts[0] > 0
    assert error.item() == pytest.approx((correction - target)[0][chosen].square().mean().item())
    assert start.item() == pytest.approx(target[0][chosen].square().mean().item())
    best = (correction - target).detach().square().log().requires_grad_(True)
    losses(correction, best, target, counts)[0].backward()
    torch.testing.assert_close(best.grad, torch.zeros_like(best), atol=1e-7, rtol=0)


def test_patches_are_cut_from_one_place_of_an_example():
    example = examples()[0]
    pool = PatchPool([example], batch=6, edge=12, seed=0, device=torch.device("cpu"))
    channels, target, counts = pool.draw(3)
    whole = set(np.round(example.target[example.counts].astype(float), 3))
    inside = counts > 0
    assert inside.any()
    assert {round(value, 3) for value in target[inside].double().tolist()} <= whole
    assert channels.shape == (6, 14, 12, 12, 12)
    again = pool.draw(3)
    assert torch.equal(again[0], channels)
    assert not torch.equal(pool.draw(4)[1], target)


def test_patches_larger_than_an_example_are_filled_up():
    pool = PatchPool(examples()[:1], batch=1, edge=32, seed=0, device=torch.device("cpu"))
    channels, target, counts = pool.draw(0)
    assert channels.shape[2:] == target.shape[1:] == (32, 32, 32)
    assert counts.sum() == examples()[0].counts.sum()


def test_the_time_limit_ends_a_run():
    settings = replace(SETTINGS, steps=10**6, seconds=0.5)
    reports = []
    learn(examples(), settings, architecture=TINY, report=reports.append)
    assert all(report.step < 10**5 for report in reports)
