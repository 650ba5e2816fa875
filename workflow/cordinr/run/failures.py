"""Images that failed in a run of Snakemake: which, how far they came, and why."""

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ..datasets.index import IndexRow
from ..evaluation.failed import FIGURES, METRICS, PAGE, Failed, load_failed
from .snakemake_internals import Outcome, RunJob
from .snakemake_log import Failure, error_sentence

VARIABLE = "CORDINR_FAILED"
"""Environment variable of a second run: path of the list of the images that it leaves out."""

LEARNING_RULE = "learn"
"""Name of the rule that learns the prior of many images, which may have a prefix in a module."""

FIGURE_RULES = ("compare", "resolution")
"""Names of the rules that draw an image from its metrics, and make nothing that these need."""


def failed_images(rows: Iterable[IndexRow], outcome: Outcome) -> list[Failed]:
    """List the images of which a job failed, each with what it lacks and why, in the index's order.

    Args:
        rows: rows of the index.
        outcome: what the run has left undone.
    """
    unmade: dict[tuple[str, str], list[RunJob]] = {}
    for job in outcome.unmade:
        unmade.setdefault((job.folder, job.image), []).append(job)
    pages = {job.subject: job for job in outcome.failed if job.subject}
    images = []
    for row in rows:
        jobs = unmade.get((row.folder, row.image), [])
        waited_for = {each for job in jobs for each in outcome.dependencies.get(job, ())}
        priors = {job for job in waited_for if job.rule.endswith(LEARNING_RULE)}
        causes = sorted(
            (job for job in {*jobs, *priors} if job in outcome.failed),
            key=lambda job: (not job.image, tuple(job.logs)),
        )
        if causes:
            lacks = FIGURES if all(job.rule in FIGURE_RULES for job in jobs) else METRICS
            images.append(Failed(row.folder, row.image, lacks, reason_of(causes)))
        page = next((pages[label] for label in page_labels(row) if label in pages), None)
        if not causes and row.path and not jobs and page:
            images.append(Failed(row.folder, row.image, PAGE, reason_of([page])))
    return images


def page_labels(row: IndexRow) -> tuple[str, str]:
    """What the page of an image may be named after, without "sub-": its subject, or the image."""
    return row.subject, row.image.removeprefix("sub-")


def reason_of(jobs: Sequence[RunJob]) -> str:
    """Why jobs failed: the first sentence in their logs; if they were killed, where to look."""
    for job in jobs:
        sentence = error_sentence(Failure(job.rule, tuple(map(Path, job.logs))).lines())
        if sentence:
            return sentence
    logs = ", ".join(jobs[0].logs)
    return f"its job '{jobs[0].rule}' was ended before it could say why; see {logs}."


def blocked_jobs(outcome: Outcome, causes: Collection[RunJob] | None = None) -> set[RunJob]:
    """The jobs that failed or that wait, directly or through others, for one that did.

    Args:
        outcome: what the run has left undone.
        causes: jobs that count as failed; None for all that did.
    """
    blocked = set(outcome.failed if causes is None else causes)
    newly_blocked = blocked
    while newly_blocked:
        newly_blocked = {
            job
            for job in outcome.unmade
            if job not in blocked and not blocked.isdisjoint(outcome.dependencies[job])
        }
        blocked = blocked | newly_blocked
    return blocked


def images_left_out() -> dict[tuple[str, str], Failed]:
    """The images that this run leaves out, by folder and image; none in an ordinary run.

    Raises:
        InputError: the list cannot be read.
    """
    path = os.environ.get(VARIABLE)
    return {(each.folder, each.image): each for each in load_failed(path)} if path else {}
