"""What a run did: jobs done and failed, why images are missing, what the fits cost."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..bids.cord_mask import problem_of
from ..datasets.index import IndexRow, load_index
from ..datasets.layout import ResultPaths
from ..errors import InputError
from ..files import read_json

ERROR_PREFIX = "cordinr: error: "
"""Begins the line of a log that says what went wrong."""

LAST_LINES = 10
"""Of a log that are shown."""

MAX_REASONS = 3
"""Cord masks of no use that are named."""

EVENT = re.compile(
    r"^Error in rule (?P<rule>\w+):$"
    r"|^    jobid: (?P<failed>\d+)$"
    r"|^    log: (?P<log>.+?) \(check log file"
    r"|^Finished jobid: (?P<finished>\d+) "
)
"""Lines of Snakemake's own log."""


@dataclass
class Failure:
    """A job that failed: of which rule, and its logs, a scheduler's own after the rule's."""

    rule: str
    logs: tuple[Path, ...] = ()

    def lines(self) -> list[str]:
        """Of the first log that holds any: a job that never began has written none."""
        return next(filter(None, map(_lines, self.logs)), [])


def read_run(text: str) -> tuple[int, list[Failure]]:
    """How many jobs finished and which failed for good, the first one first.

    Args:
        text: of Snakemake's own log. A job that failed and then succeeded has not failed.
    """
    done = 0
    failed: dict[str, Failure] = {}
    current = Failure("")
    for found in filter(None, map(EVENT.match, text.splitlines())):
        if found["rule"]:
            current = Failure(found["rule"])
        elif found["failed"] and current.rule:
            failed[found["failed"]] = current
        elif found["log"] and current.rule:
            current.logs = tuple(map(Path, found["log"].split(", ")))
            current = Failure("")
        elif found["finished"]:
            done += 1
            failed.pop(found["finished"], None)
    return done, list(failed.values())


def sentence_of(lines: Sequence[str]) -> str:
    """What a log says went wrong; empty where it says nothing of the kind."""
    said = [line.removeprefix(ERROR_PREFIX) for line in lines if line.startswith(ERROR_PREFIX)]
    return said[-1] if said else ""


def why_missing(image: IndexRow, logs: Path) -> str:
    """Why an image has no figures: what the newest log says that tells.

    Args:
        image: row of the index.
        logs: folder with one folder per rule, which mirror the dataset.
    """
    about = re.compile(rf"{re.escape(image.image)}(_(reference|cord|truth|(desc|res)-\w+))?\.log")
    told = [
        (path.stat().st_mtime, said)
        for path in logs.glob(f"*/{image.folder}/*.log")
        if about.fullmatch(path.name) and (said := sentence_of(_lines(path)))
    ]
    return max(told)[1] if told else "its jobs were not done; run again."


def fit_hours(records: Path) -> tuple[int, float, float]:
    """Fits of INRs whose records are there, their hours, and the hours of those on a GPU."""
    made = [read_json(path) for path in sorted(records.rglob("*_desc-inr*_fit.json"))]
    hours = [(float(each.get("seconds") or 0) / 3600, each.get("device")) for each in made]
    gpu = sum(spent for spent, device in hours if device != "cpu")
    return len(made), sum(spent for spent, _ in hours), gpu


def summarise(results: Path, log: Path | None, missing: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The lines that end a run.

    Args:
        results: folder of the workflow's results.
        log: Snakemake's own, or None.
        missing: images without figures, each with the reason.
    """
    done, failed = read_run("\n".join(_lines(log))) if log else (0, [])
    if done or failed:
        yield f"{done} jobs done, {len(failed)} failed."
    for number, failure in enumerate(failed):
        yield f"failed: {failure.rule}, log: {', '.join(map(str, failure.logs)) or 'none'}"
        lines = failure.lines()
        said = sentence_of(lines)
        shown = lines[-LAST_LINES:] if number == 0 else filter(None, [said])
        yield from (f"    {line}" for line in shown)
    for image, reason in missing:
        yield f"missing: {image}: {reason}"
    yield from say_lost_cords(lost_cords(results))
    fits, hours, gpu = fit_hours(ResultPaths(results).records)
    if fits:
        yield f"{fits} INRs fitted so far in {hours:.2f} hours, {gpu:.2f} of them on a GPU."


def lost_cords(results: Path) -> list[tuple[Path, str]]:
    """The copies of cord masks that are of zeros, each with the reason; none without an index."""
    paths = ResultPaths(results)
    try:
        rows = load_index(paths.index)
    except InputError:
        return []
    masks = [paths.reference(row, "cord") for row in rows if row.mask]
    return [(mask, why) for mask in masks if (why := problem_of(mask))]


def say_lost_cords(lost: Sequence[tuple[Path, str]]) -> Iterator[str]:
    """How many masks are of no use, and of the first few why, and the line that tries again."""
    if lost:
        yield f"{len(lost)} cord masks are of no use: their images have no metrics of the cord."
    for mask, why in lost[:MAX_REASONS]:
        again = f"`snakemake --cores all --forcerun {shlex.quote(str(mask))}`"
        yield f"no cord: {mask.name.removesuffix('_cord.nii.gz')}: {why} To try again, run {again}."


def _lines(path: Path) -> list[str]:
    """Of a log that may not be there, or may hold anything."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def known_missing(results: Path) -> list[tuple[str, str]]:
    """Images that are missing, as the table of a run names them; none where it cannot be read.

    Args:
        results: folder of the workflow's results. Of a run that failed, the partial table says it.
    """
    from ..evaluation.table import load_table, problems_of

    paths = ResultPaths(results)
    try:
        table = load_table(paths.partial_table if paths.partial_table.exists() else paths.table)
    except InputError:
        return []
    return list(problems_of(table).items())
