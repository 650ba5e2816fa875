"""The second run of Snakemake, after one in which images failed: tables and pages of all others.

Snakemake cannot plan a table of the images that succeed, as it plans before any job is run. So
a run that has done all it could is followed by one that is told which images to leave out. By then
all jobs of single images are done; what is left are tables, figures of all images, and pages. Where
priors are learnt, and an image to learn from failed, what waited for these priors is left as well.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..datasets.index import IndexRow
from ..evaluation.failed import METRICS, Failed
from .failures import VARIABLE, blocked_jobs, page_labels
from .snakemake_internals import Outcome, print_note


def second_run(
    outcome: Outcome, rows: Sequence[IndexRow], images: Sequence[Failed]
) -> list[str] | None:
    """The command that makes what does not need the images that failed; None where there is none.

    Args:
        outcome: what the first run has left undone.
        rows: rows of the index.
        images: images that failed.
    """
    program = Path(sys.argv[0])
    if "snakemake" not in (program.stem, program.parent.name) or os.environ.get(VARIABLE):
        return None
    if not outcome.keep_going or not has_done_all(outcome):
        return None
    if not is_worthwhile(outcome, rows, images):
        return None
    hopeless = _hopeless_files(outcome, rows, images)
    targets = [path for path in outcome.targets if os.path.normpath(path) not in hopeless]
    if outcome.targets and not targets:
        return None
    return [sys.executable, "-m", __name__, json.dumps(targets), *sys.argv[1:]]


def has_done_all(outcome: Outcome) -> bool:
    """Whether a run ended because nothing more could be done, and was not stopped before."""
    return not outcome.was_stopped and blocked_jobs(outcome) >= set(outcome.unmade)


def is_worthwhile(outcome: Outcome, rows: Sequence[IndexRow], images: Sequence[Failed]) -> bool:
    """Whether something waits for the images that failed, could be made without, and is of use."""
    failed = {(image.folder, image.image) for image in images}
    without_metrics = {(image.folder, image.image) for image in images if image.lacks == METRICS}
    # Others wait for a prior that was to learn from an image that failed: it can do without.
    elsewhere = [job for job in outcome.failed if (job.folder, job.image) not in failed]
    for_others = blocked_jobs(outcome, elsewhere)
    explained = all(
        (job.folder, job.image) in failed or job not in for_others
        for job in outcome.unmade
        if job.image
    )
    usable = any(row.path and (row.folder, row.image) not in without_metrics for row in rows)
    waiting = any(
        job.is_work and not job.image and job not in outcome.failed for job in outcome.unmade
    )
    return bool(images) and explained and usable and waiting


def _hopeless_files(
    outcome: Outcome, rows: Sequence[IndexRow], images: Sequence[Failed]
) -> set[str]:
    """The normalised paths of files that cannot be made without the images that failed."""
    failed = {(image.folder, image.image) for image in images}
    good = [row for row in rows if row.path and (row.folder, row.image) not in failed]
    pages = {label for row in good for label in page_labels(row)}
    jobs = [
        job
        for job in outcome.unmade
        if (job.folder, job.image) in failed or (job.subject and job.subject not in pages)
    ]
    return {os.path.normpath(path) for job in jobs for path in job.outputs}


def run_second(command: Sequence[str], folder: str, failed: Path) -> int:
    """Run the command of a second run to its end, and return its exit code.

    Args:
        command: as `second_run` gives it.
        folder: the folder in which the first run was started.
        failed: list of the images to leave out.
    """
    library = Path(__file__).parents[2]  # for a bare checkout, where nothing is installed
    search = [str(library), os.environ.get("PYTHONPATH", "")]
    changes = {
        VARIABLE: str(failed.absolute()),
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
    }
    process = subprocess.Popen(command, cwd=folder, env=os.environ | changes)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the second run has received it as well, and ends by itself
            continue


def main() -> None:
    """Run Snakemake with the command line of the first run, under whose lock this one works.

    Options that force jobs are dropped, as the first run has done what they ask for. This is a
    process of its own and the only use of Snakemake's Python interface.
    """
    try:
        from snakemake.cli import args_to_api, parse_args

        parser, args = parse_args(sys.argv[2:])
    except (ImportError, TypeError, ValueError) as error:
        print_note(f"this Snakemake has another interface ({error}); no second run.")
        sys.exit(1)
    args.targets = set(json.loads(sys.argv[1]))
    args.nolock = True
    args.force, args.forceall, args.forcerun = False, False, set()
    sys.exit(not args_to_api(args, parser))


if __name__ == "__main__":
    main()
