"""The figures of one image among those of all images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..bids.names import resolution
from ..evaluation.table import without_variants
from ..methods import method_name

RANKED_METRICS = ("psnr_fov", "ssim_fov")
"""Columns that are shown as a place among all images."""


@dataclass(frozen=True)
class RankStrip:
    """Where a figure lies among the same figure of all images, on a strip from 0 to 100.

    Attributes:
        at: of this image.
        others: of every image, this one included, in order.
        quartiles: lower quartile, median, upper quartile.
        text: the same in numbers, for people who do not see the strip.
    """

    at: float
    others: tuple[float, ...]
    quartiles: tuple[float, float, float]
    text: str


@dataclass(frozen=True)
class MethodScores:
    """A row of the page's table.

    Attributes:
        name: of the method, for people.
        label: its desc label.
        res: what its res label means, or empty.
        figures: column to number; nothing where the table has none.
        places: column to place, for `RANKED_METRICS`.
        best: whether no other on the grid of the raw image has a higher PSNR over the fov.
    """

    name: str
    label: str
    res: str
    figures: dict[str, Any]
    places: dict[str, RankStrip]
    best: bool


def score_rows(table: pd.DataFrame, image: str) -> list[MethodScores]:
    """All rows of an image but those of variants, each beside the same method on other images.

    Args:
        table: tidy metrics of all images.
        image: file name up to the suffix.
    """
    table = without_variants(table)
    rows = table[table["image"].eq(image)]
    best = rows.loc[rows["res"].eq(""), "psnr_fov"].max()
    spans = _spans(table)
    return [_score(row, table, spans, best) for _, row in rows.iterrows()]


def best_labels(table: pd.DataFrame, image: str) -> tuple[MethodScores | None, MethodScores | None]:
    """The baseline and the INR with the highest PSNR over the fov on the raw image's grid."""
    table = without_variants(table)
    rows = table[table["image"].eq(image) & table["res"].eq("") & table["psnr_fov"].notna()]
    best, spans = rows["psnr_fov"].max(), _spans(table)

    def first(group: pd.DataFrame) -> MethodScores | None:
        chosen = group.sort_values("psnr_fov", ascending=False, kind="stable").head(1)
        return next((_score(row, table, spans, best) for _, row in chosen.iterrows()), None)

    of_inr = rows["fourier_dim"].notna()
    return first(rows[~of_inr]), first(rows[of_inr])


def _spans(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Lowest and highest figure of each column that is shown as a place."""
    finite = {
        column: table[column][np.isfinite(table[column].astype(float))] for column in RANKED_METRICS
    }
    return {column: (values.min(), values.max()) for column, values in finite.items()}


def _score(
    row: pd.Series, table: pd.DataFrame, spans: dict[str, tuple[float, float]], best: float
) -> MethodScores:
    """A row of the table beside the same method on the other images."""
    alike = table["method"].eq(row["method"]) & table["res"].eq(row["res"])
    dim = row["fourier_dim"]
    alike &= table["fourier_dim"].isna() if pd.isna(dim) else table["fourier_dim"].eq(dim)
    places = {
        column: _place(row[column], table.loc[alike, column].dropna(), *spans[column])
        for column in RANKED_METRICS
        if pd.notna(row[column]) and np.isfinite(row[column])
    }
    return MethodScores(
        name=method_name(row["method"], dim),
        label=row["desc"],
        res=resolution(row["res"]) if row["res"] else "",
        figures={name: value for name, value in row.items() if pd.notna(value)},
        places=places,
        best=not row["res"] and bool(row["psnr_fov"] == best),
    )


def _place(value: float, values: pd.Series, low: float, high: float) -> RankStrip:
    def along(number: float) -> float:
        return round(100 * (number - low) / (high - low), 2) if high > low else 50.0

    finite = values[np.isfinite(values)]
    ends = finite.quantile([0, 0.25, 0.5, 0.75, 1])
    least, *quartiles, most = (float(end) for end in ends)
    middle = quartiles[1]
    text = f"{value:.4g}; {len(finite)} images: {least:.4g} to {most:.4g}, median {middle:.4g}"
    others = tuple(along(other) for other in sorted(finite))
    return RankStrip(along(value), others, tuple(map(along, quartiles)), text)
