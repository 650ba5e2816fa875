"""Images that failed in a run of Snakemake: which, how far they came, and why."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..datasets.index import IndexRow
from ..evaluation.failed import FIGURES, METRICS, PAGE, Failed, load_failed
from .summary import Failure, sentence_of

VARIABLE = "CORDINR_FAILED"
"""Environment variable with the list of the images that a run leaves out: of a second run."""


FIGURE_RULES = ("compare", "resolution")
"""Rules whose jobs need the metrics of an image, and give nothing that its metrics need."""


def failed_images(
    rows: Iterable[IndexRow], failed: Collection[Any], unmade: Collection[Any]
) -> list[Failed]:
    """The images of which a job failed, each with what it lacks and why, in the index's order.

    Args:
        rows: of the index.
        failed: Snakemake's jobs that failed for good.
        unmade: its jobs that should have been done and are not, those included.
    """
    own: dict[tuple[str, str], list[Any]] = {}
    for job in unmade:
        own.setdefault(image_of(job), []).append(job)
    pages = {job.wildcards_dict["subject"]: job for job in failed if is_page(job)}
    images = []
    for row in rows:
        jobs = own.get((row.folder, row.image), [])
        causes = sorted((job for job in jobs if job in failed), key=lambda job: str(job.log))
        if causes:
            drawn = all(job.rule.name in FIGURE_RULES for job in jobs)
            lacks = FIGURES if drawn else METRICS
            images.append(Failed(row.folder, row.image, lacks, reason_of(causes)))
        elif row.path and not jobs and row.subject in pages:
            reason = reason_of([pages[row.subject]])
            images.append(Failed(row.folder, row.image, PAGE, reason))
    return images


def image_of(job: Any) -> tuple[str, str]:
    """Folder and name of the image that a job is about; empty where it is about no single image."""
    wildcards = job.wildcards_dict
    return wildcards.get("folder", ""), wildcards.get("image", "")


def is_page(job: Any) -> bool:
    """Whether a job writes the page of a subject."""
    return "subject" in job.wildcards_dict


def reason_of(jobs: Sequence[Any]) -> str:
    """Why jobs failed: the first sentence in their logs; if they were killed, where to look."""
    for job in jobs:
        said = sentence_of(Failure(job.rule.name, tuple(map(Path, job.log))).lines())
        if said:
            return said
    logs = ", ".join(map(str, jobs[0].log))
    return f"its job '{jobs[0].rule.name}' was ended before it could say why; see {logs}."


def blocked(
    failed: Collection[Any], unmade: Collection[Any], dependencies: Mapping[Any, Collection[Any]]
) -> set:
    """The jobs that failed or that wait for one which did, at any remove.

    Args:
        failed, unmade: as for `failed_images`.
        dependencies: the jobs for which a job waits.
    """
    found = set(failed)
    more = found
    while more:
        more = {
            job for job in unmade if job not in found and not found.isdisjoint(dependencies[job])
        }
        found = found | more
    return found


def images_left_out() -> dict[tuple[str, str], Failed]:
    """The images that this run leaves out, by folder and image; none in an ordinary run.

    Raises:
        InputError: as `load_failed`.
    """
    path = os.environ.get(VARIABLE)
    return {(each.folder, each.image): each for each in load_failed(path)} if path else {}
