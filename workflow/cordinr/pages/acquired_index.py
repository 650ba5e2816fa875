"""The page that leads to the pages of all acquired scans: the least trusted first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..methods import method_name
from .acquired import NO_SOURCE, VERDICT_CLASSES, read_check
from .html import relative_link, write_page


@dataclass(frozen=True)
class CheckedRow:
    """An image in the list, with its most trusted reconstruction.

    Attributes:
        image: name of the scans together.
        href: link to its page; empty where there is none.
        method: of the reconstruction, for people.
        check: what `cordinr check` wrote of it.
    """

    image: str
    href: str
    method: str
    check: Mapping[str, Any]


def read_checks(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Read the files that `cordinr check` wrote.

    Raises:
        InputError: a file is missing, damaged or something else.
    """
    return [read_check(path) for path in paths]


def list_checked(checks: Sequence[Mapping[str, Any]], folder: Path) -> list[CheckedRow]:
    """List images by the trust in their most trusted reconstruction, the least first.

    Args:
        checks: of reconstructions, any number of an image.
        folder: where the pages are, each called like its image.
    """
    best: dict[str, Mapping[str, Any]] = {}
    for check in checks:
        image = str(check["image"])
        if image not in best or _trust(check) > _trust(best[image]):
            best[image] = check
    rows = []
    for image, check in sorted(best.items(), key=lambda item: (_trust(item[1]), item[0])):
        page = folder / f"{image}.html"
        href = relative_link(page, folder / "index.html") if page.exists() else ""
        rows.append(
            CheckedRow(image, href, method_name(check["method"], check.get("fourier_dim")), check)
        )
    return rows


def _trust(check: Mapping[str, Any]) -> float:
    return float(check["trust"] or 0)


def write_acquired_index(
    page: Path,
    rows: Sequence[CheckedRow],
    problems: Sequence[str],
    source: Mapping[str, str] | None,
) -> None:
    """Write the page.

    Args:
        page: HTML file to write.
        rows: as `list_checked` gives them.
        problems: sentences about images that have none.
        source: identity of the dataset; None where it is not known.

    Raises:
        InputError: the page cannot be written.
    """
    write_page(
        page,
        "acquired_index.html.j2",
        [],
        rows=rows,
        problems=problems,
        classes=VERDICT_CLASSES,
        source=source or NO_SOURCE,
        version=__version__,
    )
