"""What is known of a run from its logs."""

import os
import time

import pytest

from cordinr.cli.progress_bars import duration_text, list_lines
from cordinr.run.progress import read_run_state
from tests.helpers.logged_run import FAILED, FINISHED, STATS, STEP, four_fits

LEARNT = "step {}/900  +0.78 dB over total variation on patches  {} s left\n"


@pytest.fixture
def run(tmp_path):
    return four_fits(tmp_path)


def test_it_says_what_the_logs_say(run):
    state = read_run_state(run.results, run.log)
    assert (state.jobs, state.planned_jobs, state.failed, state.ended) == (1, 8, 0, False)
    assert (state.fits_done, state.planned_fits) == (1, 4)
    running, beginning = state.fits
    assert (
        running.name == "sub-02  inrF8" and running.part == 0.25 and running.said == "loss 2.00e-03"
    )
    assert running.seconds_left == 45 and running.silent < 5
    assert (beginning.name, beginning.steps) == ("sub-03  inrF8", 0)
    # 1.25 fits took 100 seconds; 2.75 are left.
    assert state.seconds_left == pytest.approx(220, rel=0.05)


def test_the_fits_planned_by_a_run_that_began_with_the_index(run):
    run.log.write_text(STATS.format("index 1\nall 1", 2) + FINISHED.format(1, "index", 1, 30))
    assert read_run_state(run.results, run.log).planned_fits is None
    described = ["desc_id\tdescription", "desc-tv\t", "desc-inrF8\t", "desc-inrF16\t"]
    described.append("desc-inrF8spread\t")
    (run.results / "cordinr").mkdir()
    (run.results / "cordinr/descriptions.tsv").write_text("\n".join(described))
    from cordinr.datasets.index import IndexRow, save_index

    rows = [
        IndexRow(subject=s, session="", folder=f"sub-{s}/anat", image=f"sub-{s}", path="x")
        for s in ("01", "02")
    ]
    save_index(run.results / "inputs.tsv", rows)
    assert read_run_state(run.results, run.log).planned_fits == 4
    record = run.results / "records/sub-01/anat/sub-01_desc-inrF8_fit.json"
    record.parent.mkdir(parents=True)
    record.touch()
    assert read_run_state(run.results, run.log).planned_fits == 4
    os.utime(record, (run.start - 60,) * 2)
    assert read_run_state(run.results, run.log).planned_fits == 3
    assert read_run_state(run.results, run.log).planned_jobs == 30


def test_a_failed_fit_is_no_running_one(run):
    run.says(FAILED)
    run.fit("02", "cordinr: error: the loss is nan at step 60; lower the rates of fit:.\n")
    state = read_run_state(run.results, run.log)
    assert state.failed == 1 and [fit.name for fit in state.fits] == ["sub-03  inrF8"]


def test_a_cluster_may_say_late_that_a_fit_is_done(run):
    run.fit("02", STEP.format(200, "1e-05", 0))
    state = read_run_state(run.results, run.log)
    assert state.jobs == 1 and state.fits_done == 2


def test_priors_that_are_learnt_are_shown(run):
    """A run that learns for hours is not silent."""
    for name, text, ago in (
        ("fold-1of3", LEARNT.format(900, 0), 40),
        ("fold-2of3", "examples 90/96\n" + LEARNT.format(50, 3994), 20),
        ("fold-3of3", "examples 90/96\n", 20),
        ("fold-1of2", LEARNT.format(50, 3994), 1000),  # of an earlier run
    ):
        path = run.results / f"logs/learn/{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time.time() - ago,) * 2)
    state = read_run_state(run.results, run.log)
    assert list_lines(state)[1:3] == [
        "  prior fold-2of3  step 50/900  +0.78 dB over total variation on patches, 1 h 6 min left",
        "  prior fold-3of3  starting",
    ]
    assert (state.fits_done, state.planned_fits) == (1, 4)
    for path in (run.log, *(run.results / "logs/fit").rglob("*.log")):
        os.utime(path, (time.time() - 80,) * 2)
    assert read_run_state(run.results, run.log).silent == pytest.approx(20, abs=5)


def test_silence_is_said(run):
    now = time.time() + 600
    state = read_run_state(run.results, run.log, now)
    assert not state.ended  # it is locked: somebody may be at work
    assert list_lines(state)[0].startswith("1 of 8 jobs done, 0 failed; nothing new for 10 min; ")
    assert "nothing new for 10 min" in list_lines(state)[1]
    run.lock.unlink()
    assert read_run_state(run.results, run.log, now).ended


def test_a_rule_of_a_module_has_its_name_before(run):
    run.log.write_text(STATS.format("cordinr_fit 3\ncordinr_fit_settings 1", 9))
    run.says(FINISHED.format(3, "cordinr_fit", 1, 9))
    run.fit("01", "", ago=1000)
    state = read_run_state(run.results, run.log)
    assert (state.planned_fits, state.fits_done) == (3, 1)


def test_a_quiet_run_still_has_fits(run):
    run.log.write_text("")
    state = read_run_state(run.results, run.log)
    assert list_lines(state)[0] == "0 jobs done, 0 failed; 1 fits done, 2 running"


def test_without_a_run_it_says_what_to_do(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    code, out, error = command("watch")
    assert code == 1 and out == "" and error.count("\n") == 1
    assert "no run of Snakemake was started here" in error


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (12000, "3 h 20 min")]
)
def test_durations_are_for_people(seconds, text):
    assert duration_text(seconds) == text
