"""Which images a run could not finish, and what can be made without them."""

import json
import sys
from dataclasses import replace

import pytest

from cordinr.datasets.index import IndexRow
from cordinr.errors import InputError
from cordinr.evaluation.failed import Failed, load_failed, save_failed
from cordinr.run.failures import VARIABLE, blocked_jobs, failed_images, images_left_out
from cordinr.run.remainder import second_run
from cordinr.run.snakemake_internals import Outcome, RunJob

ROWS = [
    IndexRow(label, "", f"sub-{label}/anat", f"sub-{label}", path=f"sub-{label}/anat/T2w.nii.gz")
    for label in ("01", "02")
] + [IndexRow("03", "", "sub-03/anat", "sub-03", problem="has no T2w image")]


def make_job(rule: str, label: str = "", log: str = "", is_work: bool = True) -> RunJob:
    """A job about an image, the page of a subject, or all images."""
    about = {"folder": f"sub-{label}/anat", "image": f"sub-{label}"} if label else {}
    if rule == "page":
        about = {"subject": label}
    logs = [log] if log else []
    return RunJob(rule, is_work, logs=logs, outputs=[f"results/{rule}/{label}"], **about)


def run(jobs: dict[RunJob, list[RunJob]], failed: set[RunJob], **changes) -> Outcome:
    """A run in which jobs were not done, each with those for which it waits."""
    whole = Outcome(
        targets=(),
        failed=failed,
        unmade=set(jobs) | failed,
        dependencies=jobs,
        keep_going=True,
        was_stopped=False,
    )
    return replace(whole, **changes)


def failures(failed: set[RunJob], unmade: set[RunJob]) -> list[Failed]:
    return failed_images(ROWS, run({job: [] for job in unmade}, failed))


@pytest.fixture
def cut(monkeypatch):
    """The fit of the second image has failed; what waits for it, and what does not."""
    monkeypatch.setattr(sys, "argv", ["/bin/snakemake", "--cores", "2", "-F"])
    monkeypatch.delenv(VARIABLE, raising=False)
    fit, evaluate, compare = (make_job(rule, "02") for rule in ("fit", "evaluate", "compare"))
    aggregate, page, other = make_job("aggregate"), make_job("page", "02"), make_job("page", "01")
    jobs = {
        fit: [],
        evaluate: [fit],
        compare: [evaluate],
        aggregate: [compare],
        page: [aggregate],
        other: [aggregate],
        make_job("all", is_work=False): [page, other],
    }
    return jobs, {fit}


def command_after(outcome: Outcome) -> list[str] | None:
    return second_run(outcome, ROWS, failed_images(ROWS, outcome))


def test_what_an_image_lacks_and_why(tmp_path):
    said, silent = tmp_path / "compare.log", tmp_path / "fit.log"
    said.write_text("note: x\ncordinr: error: no font; install one.\n")
    fit, compare = make_job("fit", "02", str(silent)), make_job("compare", "01", str(said))
    unmade = {
        fit,
        compare,
        make_job("evaluate", "02"),
        make_job("aggregate"),
        make_job("page", "01"),
    }
    images = failures({fit, compare}, unmade)
    killed = f"its job 'fit' was ended before it could say why; see {silent}."
    assert images == [
        Failed("sub-01/anat", "sub-01", "figures", "no font; install one."),
        Failed("sub-02/anat", "sub-02", "metrics", killed),
    ]
    page = make_job("page", "01", str(said))
    assert failures({page}, {page, make_job("all")}) == [
        Failed("sub-01/anat", "sub-01", "page", "no font; install one.")
    ]
    assert failures({make_job("aggregate")}, {make_job("fit", "02")}) == []


def test_the_page_of_a_session_is_that_of_its_image_alone(tmp_path):
    log = tmp_path / "page.log"
    log.write_text("cordinr: error: no font; install one.\n")
    rows = [
        IndexRow("01", label, f"sub-01/ses-{label}/anat", f"sub-01_ses-{label}", path="T2w.nii.gz")
        for label in ("a", "b")
    ]
    page = make_job("page", "01_ses-b", str(log))
    assert failed_images(rows, run({page: []}, {page})) == [
        Failed("sub-01/ses-b/anat", "sub-01_ses-b", "page", "no font; install one.")
    ]


def test_what_waits_for_a_failed_job_at_any_remove(cut):
    jobs, failed = cut
    assert blocked_jobs(run(jobs, failed)) == set(jobs)
    alone = make_job("fit", "01")
    assert alone not in blocked_jobs(run(jobs | {alone: []}, failed))


def test_a_second_run_has_the_same_command_line(cut):
    jobs, failed = cut
    command = command_after(run(jobs, failed))
    assert command == [sys.executable, "-m", "cordinr.run.remainder", "[]", *sys.argv[1:]]


def test_a_second_run_is_not_asked_for_what_failed(cut):
    jobs, failed = cut
    targets = ["results/fit/02", "results//aggregate/", "results/page/02", "results/page/01"]
    command = command_after(run(jobs, failed, targets=targets))
    assert set(json.loads(command[3])) == {"results//aggregate/", "results/page/01"}
    assert command_after(run(jobs, failed, targets=targets[::2])) is None


@pytest.mark.parametrize(
    "change",
    [{"keep_going": False}, {"was_stopped": True}],
    ids=["first failure stops", "stopped"],
)
def test_no_second_run_after_one_that_was_to_stop(cut, change):
    jobs, failed = cut
    assert command_after(run(jobs, failed, **change)) is None


def test_no_second_run_where_there_is_more_to_do(cut):
    """A job that waits for nothing that failed is not done: somebody has stopped the run."""
    jobs, failed = cut
    assert command_after(run(jobs | {make_job("fit", "01"): []}, failed)) is None


def test_no_second_run_where_nothing_is_left_to_draw(cut):
    jobs, failed = cut
    first = make_job("fetch", "01")
    assert command_after(run(jobs | {first: []}, failed | {first})) is None


def test_no_second_run_where_nothing_waits_or_all_images_do(cut):
    jobs, failed = cut
    of_images = {job: waits for job, waits in jobs.items() if job.image}
    assert command_after(run(of_images, failed)) is None
    settings = make_job("fit_settings")
    jobs = {job: waits or [settings] for job, waits in jobs.items()} | {settings: []}
    assert command_after(run(jobs, {settings})) is None


def test_who_waits_for_a_prior_of_a_failed_image_is_made_without_it(cut):
    """The first image cannot be got, so that no prior is learnt for the second, whose fit waits."""
    fetch, unmade = make_job("fetch", "01"), make_job("fit", "01")
    learn, fit, aggregate = make_job("learn"), make_job("fit", "02"), make_job("aggregate")
    jobs = {fetch: [], unmade: [fetch], learn: [fetch], fit: [learn], aggregate: [fit, unmade]}
    outcome = run(jobs, {fetch}, targets=["results/fit/01", "results/fit/02"])
    assert [each.image for each in failed_images(ROWS, outcome)] == ["sub-01"]
    assert json.loads(command_after(outcome)[3]) == ["results/fit/02"]
    settings = make_job("fit_settings")
    jobs |= {settings: [], fit: [learn, settings], unmade: [fetch, settings]}
    assert command_after(run(jobs, {fetch, settings})) is None


def test_who_waits_for_a_prior_that_failed_has_failed(tmp_path):
    log = tmp_path / "learn.log"
    log.write_text("cordinr: error: 0 people are left to learn from.\n")
    learn, fit, evaluate = make_job("learn", log=str(log)), make_job("fit", "02"), make_job("all")
    assert failed_images(ROWS, run({learn: [], fit: [learn], evaluate: [fit]}, {learn})) == [
        Failed("sub-02/anat", "sub-02", "metrics", "0 people are left to learn from.")
    ]


def test_no_third_run_and_none_of_a_program_that_is_not_snakemake(cut, tmp_path, monkeypatch):
    jobs, failed = cut
    monkeypatch.setattr(sys, "argv", ["/usr/bin/pytest"])
    assert command_after(run(jobs, failed)) is None
    monkeypatch.setattr(sys, "argv", ["/lib/python3/site-packages/snakemake/__main__.py"])
    assert command_after(run(jobs, failed))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "failed.tsv"))
    assert command_after(run(jobs, failed)) is None


def test_the_list_is_kept_as_it_is_where_nothing_changed(tmp_path, monkeypatch):
    path = tmp_path / "failed.tsv"
    images = [Failed("sub-01/anat", "sub-01", "metrics", 'odd "words"\twith a tab')]
    save_failed(path, images)
    assert load_failed(path) == images
    before = path.stat().st_mtime_ns
    save_failed(path, images)
    assert path.stat().st_mtime_ns == before
    monkeypatch.delenv(VARIABLE, raising=False)
    assert images_left_out() == {}
    monkeypatch.setenv(VARIABLE, str(path))
    assert images_left_out() == {("sub-01/anat", "sub-01"): images[0]}
    for text in ("other\ttable\n1\t2\n", "folder\timage\tlacks\treason\nsub-01/anat\n"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"failed\.tsv: is not a list of failed images"):
            images_left_out()
