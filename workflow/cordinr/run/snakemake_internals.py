"""The only place that touches what Snakemake does not document: parts that any release may change.

Each function takes Snakemake's `workflow` object. Where a part is missing, as in a release that
has not been tested, it prints one note that says what the run goes on without, and returns a value
with which the run can go on. Nothing here imports Snakemake.
"""

import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class RunJob:
    """A job of a run that has ended.

    Attributes:
        rule: name of its rule.
        is_work: whether it runs a command; a rule such as `all` only asks for files.
        folder, image: the image that it is about; empty where it is about no single image.
        subject: whose page it writes, a subject or with its session (01_ses-a); empty for all other
            jobs.
        logs, outputs: its files.
    """

    rule: str
    is_work: bool = True
    folder: str = ""
    image: str = ""
    subject: str = ""
    logs: Sequence[str] = ()
    outputs: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """What a run of Snakemake has left undone when it ends.

    Attributes:
        targets: files and rules that the run was asked for; empty where it was asked for all.
        failed: jobs that failed in every attempt.
        unmade: jobs that should have been done and are not, the failed ones included.
        dependencies: for each of `unmade`, those of `unmade` for which it waits.
        keep_going: whether the run was to go on after a failure.
        was_stopped: whether somebody stopped it, so that jobs were left that could have been done.
    """

    targets: Collection[str]
    failed: Collection[RunJob]
    unmade: Collection[RunJob]
    dependencies: Mapping[RunJob, Collection[RunJob]]
    keep_going: bool
    was_stopped: bool


def guarded(default: Any, without: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function that reads parts of Snakemake answer even where they are missing.

    Args:
        default: its answer in that case.
        without: what the run goes on without, for the note.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def read(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except (AttributeError, KeyError, TypeError) as error:
                print_note(f"this Snakemake has changed inside ({error}); it goes on {without}.")
                return default

        return read

    return decorate


@functools.cache
def print_note(text: str) -> None:
    """Print a note on stderr, where Snakemake's own messages are; the same note only once."""
    print(f"note: {text}", file=sys.stderr)


@guarded(False, without="as if it used no conda environments")
def uses_conda(workflow: Any) -> bool:
    """Whether the jobs of a run get conda environments."""
    methods = workflow.deployment_settings.deployment_method
    return any(method.name == "CONDA" for method in methods)


@guarded(None, without="with paths as they are, which another workflow may have elsewhere")
def read_pathvars(workflow: Any) -> Callable[[str], str]:
    """The function that replaces `<results>` and the like in a path, for the current module."""
    replace: Callable[[str], str] = workflow.pathvars.apply
    return replace


@guarded(False, without="with its last words, though it may have been told to be quiet")
def is_silent(workflow: Any) -> bool:
    """Whether a run was told to print nothing (`--quiet all`)."""
    return any(each.name == "ALL" for each in workflow.output_settings.quiet or [])


@guarded(True, without="without a look for jobs that a killed run left in the queue")
def runs_jobs_itself(workflow: Any) -> bool:
    """Whether a run starts its jobs on its own machine, and not through a scheduler."""
    return bool(workflow.local_exec)


@guarded(False, without="as if it held no lock: it cancels no jobs of earlier runs")
def holds_lock(workflow: Any) -> bool:
    """Whether a run has locked its folder, so that no other run can be at work there."""
    return bool(workflow.execution_settings.lock)


@guarded(True, without="as if it had been asked for everything")
def is_whole(workflow: Any) -> bool:
    """Whether a run was asked for everything, not for some files, rules or a part of the jobs."""
    settings = workflow.dag_settings
    if settings.until or settings.omit_from or settings.batch:
        return False
    # A module may have a prefix before the names of its rules.
    names = settings.targets
    return not names or any(name == "all" or name.endswith("_all") for name in names)


@guarded(None, without="without a second run for the results that do not need the failed images")
def read_outcome(workflow: Any) -> Outcome | None:
    """What a run that ends has left undone; None where it cannot be told."""
    scheduler, dag = workflow.scheduler, workflow.dag
    failed = {each for job in scheduler.failed for each in getattr(job, "jobs", [job])}
    jobs = {job: _copy_job(job) for job in {*dag.needrun_jobs(), *failed}}
    return Outcome(
        targets=workflow.dag_settings.targets,
        failed={jobs[job] for job in failed},
        unmade=set(jobs.values()),
        dependencies={
            copy: {jobs[each] for each in dag.dependencies[job] if each in jobs}
            for job, copy in jobs.items()
        },
        keep_going=workflow.execution_settings.keep_going,
        was_stopped=bool(scheduler.running or scheduler._user_kill),
    )


def _copy_job(job: Any) -> RunJob:
    wildcards = job.wildcards_dict
    return RunJob(
        rule=job.rule.name,
        is_work=not job.rule.norun,
        folder=wildcards.get("folder", ""),
        image=wildcards.get("image", ""),
        subject=wildcards.get("subject", ""),
        logs=[str(path) for path in job.log],
        outputs=[str(path) for path in job.output],
    )


def find_start_folder(workflow: Any) -> str:
    """The folder in which a run was started, from which the paths of its command line lead."""
    return _read_start_folder(workflow) or os.getcwd()


@guarded("", without="with the present folder as that in which it was started")
def _read_start_folder(workflow: Any) -> str:
    folder: str = workflow.workdir_init
    # Snakemake has gone to its --directory before it looks where it is.
    return os.environ.get("PWD", folder) if workflow.overwrite_workdir is not None else folder


# The patch can go when `JobScheduler._schedule_reevalutation` of Snakemake keeps at most one timer:
# when it returns early while a timer that it started has not yet released `_open_jobs`. Then raise
# `min_version` in the Snakefile and the requirement in pyproject.toml to that release, and delete
# this function, its call in hooks.smk and its tests. Until then, the ceiling `snakemake<10` and
# tests/process/test_scheduler_looks.py say when a release has changed what is patched.
@guarded(None, without="with a scheduler that slows down after some thousand jobs")
def limit_reevaluation_timers(workflow: Any) -> None:
    """Let the scheduler wait with one timer at a time for its next look at all jobs.

    Snakemake (seen in 9.27) starts a timer of a second at the end of each look, and each timer ends
    in a look. As every job that ends adds one more, the looks per second grow with the jobs that
    have ended, for as long as any is ready: 23,000 looks for the first 470 jobs, on the way to a
    main process that does nothing else. With one timer they are one per second and one per job, and
    a limit of jobs per timespan is kept as before.

    Args:
        workflow: its scheduler is changed in place, or left as it is where a part is missing.
    """
    scheduler = workflow.scheduler
    look_now = scheduler._open_jobs.release
    _ = scheduler._schedule_reevalutation  # misspelt there; once it is mended, nothing calls ours
    due = 0.0

    def look_again_in(seconds: float) -> None:
        nonlocal due
        now = time.monotonic()
        if now < due:
            return
        due = now + seconds
        timer = threading.Timer(seconds, look_now)
        timer.daemon = True  # the end of the run does not wait for it
        timer.start()

    scheduler._schedule_reevalutation = look_again_in
