"""The second run of Snakemake, after one in which images failed: tables and pages of all others.

Snakemake cannot plan a table of the images that succeed, as it plans before any job is run. So
a run that has done all it could is followed by one that is told whom to leave out. By then all jobs
of single images are done; what is left are tables, figures of all images, and pages.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..datasets.index import IndexRow
from ..evaluation.failed import METRICS, Failed, save_failed
from .failures import VARIABLE, blocked, failed_images, image_of, is_page


def is_whole(workflow: Any) -> bool:
    """Whether a run was asked for everything, not for some files, rules or a part of the jobs."""
    try:
        settings = workflow.dag_settings
        targets = settings.targets
    except AttributeError:  # another Snakemake
        return True
    if any(getattr(settings, name, None) for name in ("until", "omit_from", "batch")):
        return False
    # A module may have a prefix before the names of its rules.
    return not targets or any(t == "all" or t.endswith("_all") for t in targets)


def unmade_jobs(workflow: Any) -> tuple[set, set]:
    """The jobs of a run that failed for good, and all that should have been done and are not."""
    dag, scheduler = workflow.dag, workflow.scheduler
    failed = {each for job in scheduler.failed for each in getattr(job, "jobs", [job])}
    return failed, set(dag.needrun_jobs()) | failed


def has_done_all(workflow: Any, failed: set, unmade: set) -> bool:
    """Whether a run ended because nothing more could be done, and was not stopped before."""
    scheduler = workflow.scheduler
    stopped = scheduler.running or getattr(scheduler, "_user_kill", None)
    dependencies = {job: workflow.dag.dependencies[job] for job in unmade}
    return not stopped and blocked(failed, unmade, dependencies) >= unmade


def note_failed(workflow: Any, rows: Sequence[IndexRow], path: Path) -> list[Failed]:
    """Write the list of the images that failed in a run, and give it."""
    images = failed_images(rows, *unmade_jobs(workflow))
    save_failed(path, images)
    return images


def second_run(
    workflow: Any, rows: Sequence[IndexRow], images: Sequence[Failed]
) -> list[str] | None:
    """The command that makes what does not need the images that failed; None where there is none.

    Args:
        workflow: Snakemake's, after a run that failed.
        rows: of the index.
        images: that failed.
    """
    called = Path(sys.argv[0])
    if "snakemake" not in (called.stem, called.parent.name) or os.environ.get(VARIABLE):
        return None
    failed, unmade = unmade_jobs(workflow)
    if not workflow.execution_settings.keep_going or not has_done_all(workflow, failed, unmade):
        return None
    if not worth_while(rows, images, failed, unmade):
        return None
    wanted, hopeless = workflow.dag_settings.targets, _hopeless(rows, images, unmade)
    left = [target for target in wanted if os.path.normpath(target) not in hopeless]
    if wanted and not left:
        return None
    return [sys.executable, "-m", __name__, json.dumps(left), *sys.argv[1:]]


def worth_while(
    rows: Sequence[IndexRow], images: Sequence[Failed], failed: set, unmade: set
) -> bool:
    """Whether something waits for the images that failed, could be made without, and is of use."""
    known = {(image.folder, image.image) for image in images}
    lost = {(image.folder, image.image) for image in images if image.lacks == METRICS}
    explained = all(image_of(job) in known for job in unmade if image_of(job)[1])
    usable = any(row.path and (row.folder, row.image) not in lost for row in rows)
    waiting = any(not image_of(job)[1] and not job.rule.norun for job in unmade - failed)
    return bool(images) and explained and usable and waiting


def _hopeless(rows: Sequence[IndexRow], images: Sequence[Failed], unmade: set) -> set[str]:
    """The files of a run that the images which failed would be needed for, as jobs name them."""
    known = {(image.folder, image.image) for image in images}
    paged = {row.subject for row in rows if row.path and (row.folder, row.image) not in known}
    jobs = [
        job
        for job in unmade
        if image_of(job)[1] or (is_page(job) and job.wildcards_dict["subject"] not in paged)
    ]
    return {os.path.normpath(output) for job in jobs for output in job.output}


def started_in(workflow: Any) -> str:
    """The folder in which a run was started, from which the paths of its command line lead."""
    moved = workflow.overwrite_workdir is not None
    # Snakemake has gone to its --directory before it looks where it is.
    return os.environ.get("PWD", workflow.workdir_init) if moved else workflow.workdir_init


def follow(command: Sequence[str], folder: str, path: Path) -> int:
    """Run such a command where the first was started; its exit code."""
    search = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    changes = {
        VARIABLE: str(path.absolute()),
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
    }
    process = subprocess.Popen(command, cwd=folder, env=os.environ | changes)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # which the second run has got as well, and ends
            continue


def main() -> None:
    """Snakemake with the command line of the first run, under whose lock this one works.

    What the first was forced to do is done.
    """
    from snakemake.cli import args_to_api, parse_args

    parser, args = parse_args(sys.argv[2:])
    args.targets = set(json.loads(sys.argv[1]))
    args.nolock = True
    args.force, args.forceall, args.forcerun = False, False, set()
    sys.exit(not args_to_api(args, parser))


if __name__ == "__main__":
    main()
