"""What a run did: jobs done and failed, why images are missing, what the fits cost."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..bids.cord_mask import problem_of
from ..datasets.index import IndexRow, load_index
from ..datasets.layout import ResultPaths
from ..errors import InputError
from ..files import read_json
from .snakemake_log import error_sentence, parse_log, read_lines

LAST_LINES = 10
"""Number of lines shown of the log of the first job that failed: its last ones."""

MAX_REASONS = 3
"""Maximum number of unusable cord masks that are named with their reasons."""


def why_missing(image: IndexRow, logs: Path) -> str:
    """Why an image has no metrics: the error in the newest of its logs that holds one.

    Args:
        image: row of the index.
        logs: folder with one folder per rule, each of which mirrors the dataset.
    """
    own = re.compile(rf"{re.escape(image.image)}(_(reference|cord|truth|(desc|res)-\w+))?\.log")
    errors = [
        (path.stat().st_mtime, sentence)
        for path in logs.glob(f"*/{image.folder}/*.log")
        if own.fullmatch(path.name) and (sentence := error_sentence(read_lines(path)))
    ]
    return max(errors)[1] if errors else "its jobs were not done; run again."


def fit_hours(records: Path) -> tuple[int, float, float]:
    """The number of recorded fits of INRs, their hours, and the hours of those on a GPU."""
    costs = [read_json(path) for path in sorted(records.rglob("*_desc-inr*_fit.json"))]
    hours = [(float(cost.get("seconds") or 0) / 3600, cost.get("device")) for cost in costs]
    gpu = sum(spent for spent, device in hours if device != "cpu")
    return len(costs), sum(spent for spent, _ in hours), gpu


def summarise(results: Path, log: Path | None, missing: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the lines that end a run.

    Args:
        results: folder of the workflow's results.
        log: Snakemake's own log, or None.
        missing: images without metrics, each with the reason.
    """
    run = parse_log("\n".join(read_lines(log)) if log else "")
    if run.finished or run.failures:
        yield f"{len(run.finished)} jobs done, {len(run.failures)} failed."
    for number, failure in enumerate(run.failures):
        yield f"failed: {failure.rule}, log: {', '.join(map(str, failure.logs)) or 'none'}"
        lines = failure.lines()
        shown = lines[-LAST_LINES:] if number == 0 else filter(None, [error_sentence(lines)])
        yield from (f"    {line}" for line in shown)
    for image, reason in missing:
        yield f"missing: {image}: {reason}"
    yield from list_unusable_cords(unusable_cords(results))
    fits, hours, gpu = fit_hours(ResultPaths(results).records)
    if fits:
        yield f"{fits} INRs fitted so far in {hours:.2f} hours, {gpu:.2f} of them on a GPU."


def unusable_cords(results: Path) -> list[tuple[Path, str]]:
    """The cord masks that were replaced by zeros, each with the reason; none without an index."""
    paths = ResultPaths(results)
    try:
        rows = load_index(paths.index)
    except InputError:
        return []
    masks = [paths.reference(row, "cord") for row in rows if row.mask]
    return [(mask, reason) for mask in masks if (reason := problem_of(mask))]


def list_unusable_cords(masks: Sequence[tuple[Path, str]]) -> Iterator[str]:
    """Yield how many masks are unusable, why the first few are, and the command that retries."""
    if masks:
        yield f"{len(masks)} cord masks are of no use: their images have no metrics of the cord."
    for mask, reason in masks[:MAX_REASONS]:
        image = mask.name.removesuffix("_cord.nii.gz")
        command = f"`snakemake --cores all --forcerun {shlex.quote(str(mask))}`"
        yield f"no cord: {image}: {reason} To try again, run {command}."


def known_missing(results: Path) -> list[tuple[str, str]]:
    """Images that are missing, as the table of a run names them; none where it cannot be read.

    Args:
        results: folder of the workflow's results. A partial table is that of a run that failed.
    """
    from ..evaluation.checks import problems_of_checks
    from ..evaluation.table import load_table, problems_of

    paths = ResultPaths(results)
    try:
        table = load_table(paths.partial_table if paths.partial_table.exists() else paths.table)
    except InputError:
        return problems_of_checks(paths.checks) if paths.checks.exists() else []
    return list(problems_of(table).items())
