"""The metrics of every image and method of a run, gathered with their costs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..bids.names import variant_setting
from ..datasets.index import IndexRow
from ..datasets.layout import ResultPaths
from ..files import read_json
from .failed import METRICS, PAGE, Failed
from .table import read_metrics


def collect(
    images: Sequence[IndexRow],
    methods: Sequence[str],
    resolutions: Sequence[str],
    paths: ResultPaths,
    why_missing: Callable[[IndexRow], str] | None = None,
    failed: Sequence[Failed] = (),
) -> list[dict[str, Any]]:
    """Read the metrics of every image and method of a run, with what they cost.

    Args:
        images: rows of the index; those without an image give a row that says why.
        methods: `desc` labels.
        resolutions: `res` labels of the renderings; those that an image has a truth for are scored.
        paths: where metrics and costs are.
        why_missing: gives the reason why an image does not have all its metrics, for a row with a
            `problem`; None where they have to be complete.
        failed: images that the run could not finish. Each has a row with its `problem`; in a
            complete table not those that lack only their page. A complete table leaves out the
            metrics of an image that lacks some, as they may be of an earlier run.

    Returns:
        The rows of the table, in the order of the images.

    Raises:
        InputError: a metrics file is damaged, or is missing although all have to be there.
    """
    listed = failed if why_missing else [image for image in failed if image.lacks != PAGE]
    failures = {(image.folder, image.image): image for image in listed}
    rows = []
    for image in images:
        failure = failures.get((image.folder, image.image))
        if not image.path:
            rows.append(problem_row(image, image.problem))
            continue
        if failure:
            rows.append(problem_row(image, failure.reason))
        if failure and failure.lacks == METRICS and not why_missing:
            continue
        is_incomplete = False
        for label, res in _scored_labels(image, methods, resolutions):
            path = paths.metrics(image, label, res)
            if why_missing and not path.exists():
                is_incomplete = True
                continue
            row = read_metrics(path)
            rows.append(
                row | read_image_costs(paths, image, label, row["res"]) | {"site": image.site}
            )
        if why_missing and is_incomplete and not failure:
            rows.append(problem_row(image, why_missing(image)))
    return rows


def _scored_labels(
    image: IndexRow, methods: Sequence[str], resolutions: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """The `desc` and `res` labels of what is scored of an image; no `res` on its own grid."""
    for label in methods:
        yield label, ""
        is_inr = label.startswith("inr") and not variant_setting(label)
        if is_inr and image.truth_res in resolutions:
            yield label, image.truth_res


def problem_row(image: IndexRow, reason: str) -> dict[str, Any]:
    """The row of an image that has no metrics, or not all of them."""
    identity = {name: getattr(image, name) for name in ("subject", "session", "image", "site")}
    return identity | {"res": "", "desc": "", "problem": reason}


def read_image_costs(paths: ResultPaths, image: IndexRow, label: str, res: str) -> dict[str, Any]:
    """Read the cost columns of a row; they stay empty where nothing was recorded.

    Args:
        paths: where the records are.
        image: row of the index.
        label: `desc` label of the reconstruction.
        res: `res` label of its rendering, or empty.

    Raises:
        InputError: a record is damaged.
    """
    records = [paths.record(image, label, step) for step in ("fit", "render")]
    fitted, rendered = (read_json(path) if path.exists() else {} for path in records)
    return {
        "fit_seconds": fitted.get("seconds"),
        "render_seconds": rendered.get("seconds", {}).get(res),
        "device": fitted.get("device"),
        "peak_memory_mb": fitted.get("peak_memory_mb"),
    }
