"""Parts of Snakemake that it does not document: what is read of them, and a run without them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from cordinr.run import snakemake_internals as internals


class Part:
    """An object of Snakemake with some attributes."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__ |= attributes


def make_workflow() -> Part:
    """As much of a workflow of Snakemake as is read."""
    job = Part(
        rule=Part(name="fit", norun=False),
        wildcards_dict={"folder": "sub-01/anat", "image": "sub-01"},
        log=["fit.log"],
        output=["model"],
    )
    waiting = Part(
        rule=Part(name="all", norun=True), wildcards_dict={}, log=[], output=["never made"]
    )
    return Part(
        deployment_settings=Part(deployment_method={Part(name="CONDA")}),
        pathvars=Part(apply=lambda path: path.replace("<results>", "there")),
        output_settings=Part(quiet={Part(name="ALL")}),
        local_exec=False,
        execution_settings=Part(lock=True, keep_going=True),
        dag_settings=Part(targets={"model"}, until=set(), omit_from=set(), batch=None),
        scheduler=Part(
            failed={Part(jobs=[job])},
            running=set(),
            _user_kill=None,
            _open_jobs=threading.Semaphore(0),
            _schedule_reevalutation=lambda delay: None,
        ),
        dag=Part(
            needrun_jobs=lambda: [job, waiting],
            dependencies={job: {Part()}, waiting: {job}},
        ),
        workdir_init="/started",
        overwrite_workdir=None,
    )


READERS: dict[Callable, tuple[list[str], Any, Any]] = {
    internals.uses_conda: (["deployment_settings.deployment_method"], True, False),
    internals.is_silent: (["output_settings.quiet"], True, False),
    internals.runs_jobs_itself: (["local_exec"], False, True),
    internals.holds_lock: (["execution_settings.lock"], True, False),
    internals.is_whole: (
        [f"dag_settings.{name}" for name in ("targets", "until", "omit_from", "batch")],
        False,
        True,
    ),
    internals.find_start_folder: (["workdir_init", "overwrite_workdir"], "/started", "/here"),
}
"""For each function the parts that it reads, its answer, and its answer where one is missing."""

MISSING = [(reader, path) for reader, (paths, _, _) in READERS.items() for path in paths]
OUTCOME_PARTS = [
    *("scheduler.failed", "scheduler.running", "scheduler._user_kill", "dag.needrun_jobs"),
    *("dag.dependencies", "dag_settings.targets", "execution_settings.keep_going"),
]
MISSING += [(internals.read_outcome, path) for path in OUTCOME_PARTS]
MISSING += [(internals.read_pathvars, path) for path in ("pathvars", "pathvars.apply")]
PATCHED = ["scheduler", "scheduler._open_jobs", "scheduler._schedule_reevalutation"]
MISSING += [(internals.limit_reevaluation_timers, path) for path in PATCHED]


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """No note has been printed before."""
    internals.print_note.cache_clear()
    monkeypatch.setattr("os.getcwd", lambda: "/here")


def remove(workflow: Part, path: str) -> None:
    """Take a part such as `scheduler.failed` away."""
    *folders, name = path.split(".")
    for folder in folders:
        workflow = getattr(workflow, folder)
    delattr(workflow, name)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_a_known_snakemake_is_read_without_a_note(reader, capfd):
    assert reader(make_workflow()) == READERS[reader][1]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("reader", "path"), MISSING)
def test_a_part_that_is_missing_gives_one_note(reader, path, capfd):
    workflow = make_workflow()
    remove(workflow, path)
    expected = READERS[reader][2] if reader in READERS else None
    assert reader(workflow) == expected and reader(workflow) == expected
    note = capfd.readouterr().err
    assert note.startswith("note: this Snakemake has changed inside (") and note.count("\n") == 1
    assert path.rpartition(".")[2] in note


def test_paths_are_those_of_the_module():
    assert internals.read_pathvars(make_workflow())("<results>/a") == "there/a"


def test_the_outcome_of_a_run():
    outcome = internals.read_outcome(make_workflow())
    [failed] = outcome.failed
    assert (failed.rule, failed.folder, failed.image) == ("fit", "sub-01/anat", "sub-01")
    assert (failed.logs, failed.outputs, failed.subject) == (["fit.log"], ["model"], "")
    [other] = outcome.unmade - {failed}
    assert failed.is_work and not other.is_work
    assert outcome.dependencies == {failed: set(), other: {failed}}
    assert outcome.keep_going and not outcome.was_stopped and outcome.targets == {"model"}


@pytest.mark.parametrize("name", ["running", "_user_kill"])
def test_a_run_that_was_stopped(name):
    workflow = make_workflow()
    setattr(workflow.scheduler, name, {"graceful"})
    assert internals.read_outcome(workflow).was_stopped


def test_a_run_that_was_moved_began_where_the_shell_was(monkeypatch):
    workflow = make_workflow()
    workflow.overwrite_workdir = "elsewhere"
    monkeypatch.setenv("PWD", "/shell")
    assert internals.find_start_folder(workflow) == "/shell"


@pytest.mark.parametrize("targets", [[], ["all"], ["results/x.html", "all"], ["cordinr_all"]])
def test_a_run_is_whole_unless_it_was_asked_for_a_part(targets):
    workflow = make_workflow()
    workflow.dag_settings.targets = frozenset(targets)
    assert internals.is_whole(workflow)
    workflow.dag_settings.until = {"index"}
    assert not internals.is_whole(workflow)


def test_one_timer_at_a_time():
    workflow = make_workflow()
    internals.limit_reevaluation_timers(workflow)
    scheduler = workflow.scheduler
    for _ in range(3):
        scheduler._schedule_reevalutation(0.2)
    assert scheduler._open_jobs.acquire(timeout=10)
    assert not scheduler._open_jobs.acquire(timeout=0.4)
    scheduler._schedule_reevalutation(0.2)
    assert scheduler._open_jobs.acquire(timeout=10)
