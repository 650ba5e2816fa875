"""The page that leads to all subjects: their images, lowest scores first, and the figures."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..datasets.index import IndexRow
from ..evaluation.table import on_raw_grid, without_variants
from ..figures.captions import CAPTIONS, Caption
from ..figures.outliers import outliers_data
from .html import make_data_uri, relative_link
from .ranking import MethodScores, best_scores


@dataclass(frozen=True)
class ImageRow:
    """An image in the list.

    Attributes:
        name: up to its suffix.
        href: link to the page of its subject; empty where it is on none.
        site: of its subject, or empty.
        best: its best baseline and best INR.
        gain: dB of the INR over the baseline; None where one of them is missing.
        z: robust standard deviations from the median of all; None where it is not defined.
        outlier: whether its scores are far below those of the other images.
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
    """A figure of all images.

    Attributes:
        caption: what it shows.
        picture: data URI.
        numbers: link to the table that it is drawn from.
    """

    caption: Caption
    picture: str
    numbers: str


def list_images(
    rows: Sequence[IndexRow], table: pd.DataFrame, problems: Collection[str] = ()
) -> list[ImageRow]:
    """List the images of an index, lowest `z` first, those without an INR last.

    Args:
        rows: of the index.
        table: tidy metrics of all images.
        problems: images that are on no page; those without metrics are left out.
    """
    with_metrics = set(table[table["problem"].eq("")]["image"])
    rows = [row for row in rows if row.image in with_metrics or row.image not in problems]
    has_inr = table["method"].eq("inr").any()
    margins = outliers_data(table).set_index("image").to_dict("index") if has_inr else {}
    comparable = on_raw_grid(without_variants(table))
    order = {name: position for position, name in enumerate(margins)}
    images = []
    for row in sorted(rows, key=lambda row: order.get(row.image, len(order))):
        margin = margins.get(row.image, {})
        gain, z = (margin.get(name) for name in ("gain", "z"))
        images.append(
            ImageRow(
                name=row.image,
                href="" if row.image in problems else f"sub-{row.subject}.html",
                site=row.site,
                best=best_scores(comparable, row.image),
                gain=None if pd.isna(gain) else gain,
                z=None if pd.isna(z) else z,
                outlier=bool(margin.get("outlier")),
            )
        )
    return images


def load_cohort_figures(paths: Sequence[Path], page: Path) -> list[CohortFigure]:
    """Load figures for a page, each with the link to its numbers.

    Args:
        paths: SVG files.
        page: from which links start.

    Raises:
        InputError: a file is missing.
    """
    return [
        CohortFigure(
            CAPTIONS.get(path.stem, Caption(path.stem, "")),
            make_data_uri(path),
            relative_link(path.with_suffix(".tsv"), page),
        )
        for path in paths
    ]
