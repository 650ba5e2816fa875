"""Which images a run could not finish, and what can be made without them."""

import json
import sys
from types import SimpleNamespace as Some

import pytest

from cordinr.datasets.index import IndexRow
from cordinr.errors import InputError
from cordinr.evaluation.failed import Failed, load_failed, save_failed
from cordinr.run.failures import VARIABLE, blocked, failed_images, images_left_out
from cordinr.run.remainder import is_whole, second_run

ROWS = [
    IndexRow(label, "", f"sub-{label}/anat", f"sub-{label}", path=f"sub-{label}/anat/T2w.nii.gz")
    for label in ("01", "02")
] + [IndexRow("03", "", "sub-03/anat", "sub-03", problem="has no T2w image")]


class Job:
    """As much of a job of Snakemake as is looked at."""

    def __init__(self, rule: str, label: str = "", log: str = "", norun: bool = False) -> None:
        self.rule = Some(name=rule, norun=norun)
        image = {"folder": f"sub-{label}/anat", "image": f"sub-{label}"} if label else {}
        self.wildcards_dict = {"subject": label} if rule == "page" else image
        self.log = [log] if log else []
        self.output = [f"results/{rule}/{label}"]


def run(jobs: dict[Job, list[Job]], failed: set[Job], **changes) -> Some:
    """A workflow of Snakemake after a run: jobs that were not done, and for which each waits."""
    dag = Some(needrun_jobs=lambda: list(jobs), dependencies=jobs)
    settings = Some(keep_going=changes.pop("keep_going", True))
    targets = frozenset(changes.pop("targets", ()))
    scheduler = Some(failed=failed, running=set(), **changes)
    return Some(
        dag=dag,
        scheduler=scheduler,
        execution_settings=settings,
        dag_settings=Some(targets=targets),
    )


@pytest.fixture
def cut(monkeypatch):
    """The fit of the second image has failed; what waits for it, and what does not."""
    monkeypatch.setattr(sys, "argv", ["/bin/snakemake", "--cores", "2", "-F"])
    monkeypatch.delenv(VARIABLE, raising=False)
    fit, evaluate, compare = (Job(rule, "02") for rule in ("fit", "evaluate", "compare"))
    aggregate, page, other = Job("aggregate"), Job("page", "02"), Job("page", "01")
    jobs = {
        fit: [],
        evaluate: [fit],
        compare: [evaluate],
        aggregate: [compare],
        page: [aggregate],
        other: [aggregate],
        Job("all", norun=True): [page, other],
    }
    return jobs, {fit}


def command_after(workflow: Some) -> list[str] | None:
    images = failed_images(ROWS, workflow.scheduler.failed, workflow.dag.needrun_jobs())
    return second_run(workflow, ROWS, images)


def test_what_an_image_lacks_and_why(tmp_path):
    said, silent = tmp_path / "compare.log", tmp_path / "fit.log"
    said.write_text("note: x\ncordinr: error: no font; install one.\n")
    fit, compare = Job("fit", "02", str(silent)), Job("compare", "01", str(said))
    unmade = {fit, compare, Job("evaluate", "02"), Job("aggregate"), Job("page", "01")}
    images = failed_images(ROWS, {fit, compare}, unmade)
    killed = f"its job 'fit' was ended before it could say why; see {silent}."
    assert images == [
        Failed("sub-01/anat", "sub-01", "figures", "no font; install one."),
        Failed("sub-02/anat", "sub-02", "metrics", killed),
    ]
    page = Job("page", "01", str(said))
    assert failed_images(ROWS, {page}, {page, Job("all")}) == [
        Failed("sub-01/anat", "sub-01", "page", "no font; install one.")
    ]
    assert failed_images(ROWS, {Job("aggregate")}, {Job("fit", "02")}) == []


def test_what_waits_for_a_failed_job_at_any_remove(cut):
    jobs, failed = cut
    assert blocked(failed, jobs, jobs) == set(jobs)
    alone = Job("fit", "01")
    assert alone not in blocked(failed, [*jobs, alone], jobs | {alone: []})


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
    [{"keep_going": False}, {"_user_kill": "graceful"}],
    ids=["first failure stops", "stopped"],
)
def test_no_second_run_after_one_that_was_to_stop(cut, change):
    jobs, failed = cut
    assert command_after(run(jobs, failed, **change)) is None


def test_no_second_run_where_there_is_more_to_do(cut):
    """A job that waits for nothing that failed is not done: somebody has stopped the run."""
    jobs, failed = cut
    assert command_after(run(jobs | {Job("fit", "01"): []}, failed)) is None


def test_no_second_run_where_nothing_is_left_to_draw(cut):
    jobs, failed = cut
    first = Job("fetch", "01")
    assert command_after(run(jobs | {first: []}, failed | {first})) is None


def test_no_second_run_where_nothing_waits_or_all_images_do(cut):
    jobs, failed = cut
    of_images = {job: waits for job, waits in jobs.items() if "image" in job.wildcards_dict}
    assert command_after(run(of_images, failed)) is None
    settings = Job("fit_settings")
    jobs = {job: waits or [settings] for job, waits in jobs.items()} | {settings: []}
    assert command_after(run(jobs, {settings})) is None


def test_no_third_run_and_none_of_a_program_that_is_not_snakemake(cut, tmp_path, monkeypatch):
    jobs, failed = cut
    monkeypatch.setattr(sys, "argv", ["/usr/bin/pytest"])
    assert command_after(run(jobs, failed)) is None
    monkeypatch.setattr(sys, "argv", ["/lib/python3/site-packages/snakemake/__main__.py"])
    assert command_after(run(jobs, failed))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "failed.tsv"))
    assert command_after(run(jobs, failed)) is None


def test_a_run_is_whole_unless_it_was_asked_for_a_part():
    for targets in ([], ["all"], ["results/x.html", "all"], ["cordinr_all"]):
        assert is_whole(Some(dag_settings=Some(targets=frozenset(targets))))
    assert not is_whole(Some(dag_settings=Some(targets={"results/cordinr/sub-01.html"})))
    assert not is_whole(Some(dag_settings=Some(targets=set(), until={"index"})))
    assert is_whole(Some())  # another Snakemake


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
