"""The scores of one image among those of all images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..bids.names import resolution
from ..evaluation.best import best_rows
from ..evaluation.table import without_variants
from ..methods import method_name

RANKED_METRICS = ("psnr_fov", "ssim_fov")
"""Columns of the table whose rank among all images is shown."""


@dataclass(frozen=True)
class RankStrip:
    """Where a score lies among the same score of all images, on a strip from 0 to 100.

    Attributes:
        at: position of this image.
        others: positions of all images, this one included, in ascending order.
        quartiles: positions of lower quartile, median and upper quartile.
        text: the same in numbers, for people who do not see the strip.
    """

    at: float
    others: tuple[float, ...]
    quartiles: tuple[float, float, float]
    text: str


@dataclass(frozen=True)
class MethodScores:
    """A row of the page's table: one method on one grid.

    Attributes:
        name: of the method, for people.
        label: its desc label.
        res: what its res label means, or empty.
        metrics: column of the table to value, without the empty ones.
        ranks: column to strip, for `RANKED_METRICS`.
        best: whether no other on the grid of the raw image has a higher PSNR over the fov.
    """

    name: str
    label: str
    res: str
    metrics: dict[str, Any]
    ranks: dict[str, RankStrip]
    best: bool


def score_rows(table: pd.DataFrame, image: str) -> list[MethodScores]:
    """Rank every method on an image, without variants, among the same method on all images.

    Args:
        table: tidy metrics of all images.
        image: file name up to the suffix.

    Returns:
        One element per row of the table.
    """
    table = without_variants(table)
    rows = table[table["image"].eq(image)]
    best = rows.loc[rows["res"].eq(""), "psnr_fov"].max()
    spans = _spans_of(table)
    return [_score_row(row, table, spans, best) for _, row in rows.iterrows()]


def best_scores(table: pd.DataFrame, image: str) -> tuple[MethodScores | None, MethodScores | None]:
    """Rank the best baseline and the best INR of an image, by PSNR over the fov.

    Args:
        table: tidy metrics of all images.
        image: file name up to the suffix.

    Returns:
        The baseline and the INR; None for one that the image does not have.
    """
    table = without_variants(table)
    rows = best_rows(table[table["image"].eq(image)])
    best, spans = rows["psnr_fov"].max(), _spans_of(table)
    is_inr = rows["method"].eq("inr")
    baseline, inr = (
        next((_score_row(row, table, spans, best) for _, row in part.iterrows()), None)
        for part in (rows[~is_inr], rows[is_inr])
    )
    return baseline, inr


def _spans_of(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """The lowest and the highest finite value of each ranked column."""
    finite = {
        column: table[column][np.isfinite(table[column].astype(float))] for column in RANKED_METRICS
    }
    return {column: (values.min(), values.max()) for column, values in finite.items()}


def _score_row(
    row: pd.Series, table: pd.DataFrame, spans: dict[str, tuple[float, float]], best: float
) -> MethodScores:
    """Rank a row of the table among the same method on all images."""
    is_alike = table["method"].eq(row["method"]) & table["res"].eq(row["res"])
    dim = None if pd.isna(row["fourier_dim"]) else row["fourier_dim"]
    is_alike &= table["fourier_dim"].isna() if dim is None else table["fourier_dim"].eq(dim)
    ranks = {
        column: _rank(row[column], table.loc[is_alike, column].dropna(), *spans[column])
        for column in RANKED_METRICS
        if pd.notna(row[column]) and np.isfinite(row[column])
    }
    return MethodScores(
        name=method_name(row["method"], dim),
        label=row["desc"],
        res=resolution(row["res"]) if row["res"] else "",
        metrics={name: value for name, value in row.items() if pd.notna(value)},
        ranks=ranks,
        best=not row["res"] and bool(row["psnr_fov"] == best),
    )


def _rank(value: float, values: pd.Series, low: float, high: float) -> RankStrip:
    """Place a value and the values of all images on a strip that reaches from low to high."""

    def position(number: float) -> float:
        return round(100 * (number - low) / (high - low), 2) if high > low else 50.0

    finite = values[np.isfinite(values)]
    levels = finite.quantile([0, 0.25, 0.5, 0.75, 1])
    lowest, *quartiles, highest = (float(level) for level in levels)
    middle = quartiles[1]
    text = f"{value:.4g}; {len(finite)} images: {lowest:.4g} to {highest:.4g}, median {middle:.4g}"
    others = tuple(position(other) for other in sorted(finite))
    lower, median, upper = map(position, quartiles)
    return RankStrip(position(value), others, (lower, median, upper), text)
