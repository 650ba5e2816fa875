"""The metrics of every image and method of a run, gathered with their costs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bids.names import variant_setting
from ..datasets.index import IndexRow
from ..files import read_json
from .failed import METRICS, PAGE, Failed

if TYPE_CHECKING:
    pass
from .table import read_metrics


def collect(
    images: Sequence[IndexRow],
    methods: Sequence[str],
    resolutions: Sequence[str],
    metrics: Path,
    records: Path,
    why_missing: Callable[[IndexRow], str] | None = None,
    failed: Sequence[Failed] = (),
) -> list[dict[str, Any]]:
    """The metrics of every image and method of a run, with what they cost.

    Args:
        images: rows of the index; those without an image give a row that says why.
        methods: `desc` labels.
        resolutions: `res` labels of the renderings; those that an image has a truth for are scored.
        metrics, records: folders that mirror the dataset.
        why_missing: the reason why an image has not all its metrics, for a row with a `problem`;
            None where they have to be complete.
        failed: images that the run could not finish. Each has a row with its `problem`, if the
            table comes after what failed. Of one without all metrics, whatever lies there may be of
            an earlier run, and is passed over in a complete table.

    Raises:
        InputError: a metrics file is damaged, or missing and must not be.
    """
    rows = []
    told = failed if why_missing else [each for each in failed if each.lacks != PAGE]
    lost = {(each.folder, each.image): each for each in told}
    for image in images:
        if not image.path:
            rows.append(_problem(image, image.problem))
            continue
        broken = lost.get((image.folder, image.image))
        if broken:
            rows.append(_problem(image, broken.reason))
        if broken and broken.lacks == METRICS and not why_missing:
            continue
        start = f"{image.folder}/{image.image}"
        missing = False
        for label in methods:
            costs = cost(records / f"{start}_desc-{label}")
            scored = [f"{start}_desc-{label}"]
            inr = label.startswith("inr") and not variant_setting(label)
            if inr and image.truth_res in resolutions:
                scored.append(f"{start}_res-{image.truth_res}_desc-{label}")
            for name in scored:
                path = metrics / f"{name}_metrics.json"
                if why_missing and not path.exists():
                    missing = True
                    continue
                row = read_metrics(path)
                rows.append(row | costs(row["res"]) | {"site": image.site})
        if missing and not broken:
            rows.append(_problem(image, why_missing(image)))
    return rows


def _problem(image: IndexRow, reason: str) -> dict[str, Any]:
    """The row of an image that has no figures, or not all."""
    identity = {name: getattr(image, name) for name in ("subject", "session", "image", "site")}
    return identity | {"res": "", "desc": "", "problem": reason}


def cost(start: Path) -> Callable[[str], dict[str, Any]]:
    """The cost columns of one image and method, as a function of the rendering's `res` label.

    Args:
        start: of the names of its records; where there are none, the columns stay empty.
    """
    fitted, rendered = (
        read_json(path) if path.exists() else {}
        for path in (start.with_name(f"{start.name}_{step}.json") for step in ("fit", "render"))
    )

    def columns(res: str) -> dict[str, Any]:
        return {
            "fit_seconds": fitted.get("seconds"),
            "render_seconds": rendered.get("seconds", {}).get(res),
            "device": fitted.get("device"),
            "peak_memory_mb": fitted.get("peak_memory_mb"),
        }

    return columns
