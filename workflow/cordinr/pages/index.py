"""What the page of all images shows: who they are, the furthest below first, and their figures."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..datasets.index import IndexRow
from ..evaluation.table import on_raw_grid, without_variants
from ..figures.captions import CAPTIONS, Caption
from ..figures.outliers import outliers_data
from .html import picture, relative
from .ranking import MethodScores, best_labels


@dataclass(frozen=True)
class ImageRow:
    """An image in the list.

    Attributes:
        name: up to its suffix.
        href: of the page of its subject; empty where it is on none.
        site: of its subject, or empty.
        best: its best baseline and best INR.
        gain: dB of the INR over the baseline; None where one of them is missing.
        z: robust standard deviations from the median of all; None where nobody knows.
        outlier: whether it is far below.
    """

    name: str
    href: str
    site: str
    best: tuple[MethodScores | None, MethodScores | None]
    gain: float | None
    z: float | None
    outlier: bool


@dataclass(frozen=True)
class CohortFigure:
    """A figure of all images: what it shows, as data URI, and where its numbers are."""

    caption: Caption
    picture: str
    numbers: str


def images_shown(
    rows: Sequence[IndexRow], table: pd.DataFrame, problems: Collection[str] = ()
) -> list[ImageRow]:
    """The images of an index, furthest below first, those without an INR last.

    Args:
        rows: of the index.
        table: tidy metrics of all images.
        problems: images that are on no page; those without figures are left out.
    """
    figures = set(table[table["problem"].eq("")]["image"])
    rows = [row for row in rows if row.image in figures or row.image not in problems]
    scored = outliers_data(table).set_index("image") if table["method"].eq("inr").any() else None
    found = {} if scored is None else scored.to_dict("index")
    comparable = on_raw_grid(without_variants(table))
    order = {name: place for place, name in enumerate(found)}
    images = []
    for row in sorted(rows, key=lambda row: order.get(row.image, len(order))):
        known = found.get(row.image, {})
        gain, z = (known.get(name) for name in ("gain", "z"))
        images.append(
            ImageRow(
                name=row.image,
                href="" if row.image in problems else f"sub-{row.subject}.html",
                site=row.site,
                best=best_labels(comparable, row.image),
                gain=None if pd.isna(gain) else gain,
                z=None if pd.isna(z) else z,
                outlier=bool(known.get("outlier")),
            )
        )
    return images


def figures_shown(paths: Sequence[Path], page: Path) -> list[CohortFigure]:
    """The figures for a page, each with the link to its numbers.

    Raises:
        InputError: a file is missing.
    """
    return [
        CohortFigure(
            CAPTIONS.get(path.stem, Caption(path.stem, "")),
            picture(path),
            relative(path.with_suffix(".tsv"), page),
        )
        for path in paths
    ]
