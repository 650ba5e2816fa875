"""SIGTERM in the middle of a fit, and elsewhere."""

import os
import signal
import threading

import pytest
import torch

from cordinr.inr.fit import fit_inr
from cordinr.inr.settings import FitSettings
from cordinr.inr.sigterm import deferred_sigterm
from tests.helpers.support import two_views

pytestmark = pytest.mark.slow

SMALL = FitSettings(width=32, channels=2, batch=256, passes=16)


class EndedError(Exception):
    pass


@pytest.fixture
def ended():
    """SIGTERM raises `EndedError` here, in place of the end of the test run."""

    def end(number, frame):
        raise EndedError

    before = signal.signal(signal.SIGTERM, end)
    yield end
    signal.signal(signal.SIGTERM, before)


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("when", [1, 23, "last"])
def test_a_terminated_fit_leaves_a_checkpoint_and_goes_on_from_it(
    smooth_volume, tmp_path, ended, when, monkeypatch
):
    # None of its own accord, however slow the machine is.
    monkeypatch.setattr("cordinr.inr.checkpoint.INTERVAL_S", float("inf"))
    views, file = two_views(smooth_volume), tmp_path / "model.checkpoint"
    curves, seen = [], []
    whole = fit_inr(views, 8, SMALL, report=lambda p: curves.append(p.losses))

    def stop(progress):
        seen.append(progress.step)
        if progress.step == (progress.steps if when == "last" else when):
            terminate()

    with pytest.raises(EndedError):
        fit_inr(views, 8, SMALL, checkpoint=file, report=stop, report_every=0.0)
    # No time for a checkpoint before the last step: the fit was too short to be worth one.
    assert file.exists() == (when != "last")
    reports = []
    again = fit_inr(views, 8, SMALL, checkpoint=file, report=reports.append, report_every=0.0)
    steps = [progress.step for progress in reports]
    assert reports[-1].losses == curves[-1] and len(curves[-1]["steps"]) > 20
    assert steps[0] == (1 if when == "last" else seen[-1] + 1) and not file.exists()
    states = (inr.network.state_dict().values() for inr in (whole, again))
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))


def test_the_signal_takes_effect_after_the_block(ended):
    done = []
    with pytest.raises(EndedError), deferred_sigterm() as terminated:
        assert not terminated()
        terminate()
        assert terminated()
        done.append(1)
    assert done and signal.getsignal(signal.SIGTERM) is ended


def test_whoever_ignores_it_goes_on_to():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with deferred_sigterm() as terminated:
            terminate()
            assert not terminated()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_may_fit(smooth_volume):
    found = []
    views = two_views(smooth_volume)
    thread = threading.Thread(target=lambda: found.append(fit_inr(views, 8, SMALL)))
    thread.start()
    thread.join()
    assert found
