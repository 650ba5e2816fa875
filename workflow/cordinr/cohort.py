"""The figures of one image among those of all images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .ablation import BASELINES
from .naming import resolution

PLACED = ("psnr_fov", "ssim_fov")
"""Columns that are shown as a place among all images."""


@dataclass(frozen=True)
class Place:
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
class Scored:
    """A row of the page's table.

    Attributes:
        name: of the method, for people.
        label: its desc label.
        res: what its res label means, or empty.
        figures: column to number; nothing where the table has none.
        places: column to place, for `PLACED`.
        best: whether no other on the grid of the raw image has a higher PSNR over the fov.
    """

    name: str
    label: str
    res: str
    figures: dict[str, Any]
    places: dict[str, Place]
    best: bool


def method_name(method: str, dim: Any) -> str:
    """A method for people: `Total variation`, `INR, F = 128`."""
    return BASELINES.get(method, (method,))[0] if pd.isna(dim) else f"INR, F = {dim:.0f}"


def desc_label(method: str, dim: Any) -> str:
    """The desc label of a method."""
    return method if pd.isna(dim) else f"inrF{dim:.0f}"


def scored(table: pd.DataFrame, image: str) -> list[Scored]:
    """All rows of an image, each beside the same method on the other images.

    Args:
        table: tidy metrics of all images.
        image: file name up to the suffix.
    """
    rows = table[table["image"].eq(image)]
    own = rows[rows["res"].eq("")]["psnr_fov"]
    finite = {column: table[column][np.isfinite(table[column].astype(float))] for column in PLACED}
    spans = {column: (values.min(), values.max()) for column, values in finite.items()}
    result = []
    for _, row in rows.iterrows():
        alike = table["method"].eq(row["method"]) & table["res"].eq(row["res"])
        dim = row["fourier_dim"]
        alike &= table["fourier_dim"].isna() if pd.isna(dim) else table["fourier_dim"].eq(dim)
        places = {
            column: _place(row[column], table.loc[alike, column].dropna(), *spans[column])
            for column in PLACED
            if pd.notna(row[column]) and np.isfinite(row[column])
        }
        figures = {name: value for name, value in row.items() if pd.notna(value)}
        best = not row["res"] and bool(row["psnr_fov"] == own.max())
        res = resolution(row["res"]) if row["res"] else ""
        label = desc_label(row["method"], dim)
        result.append(Scored(method_name(row["method"], dim), label, res, figures, places, best))
    return result


def best_labels(table: pd.DataFrame, image: str) -> tuple[Scored | None, Scored | None]:
    """The baseline and the INR with the highest PSNR over the fov on the raw image's grid."""
    rows = [row for row in scored(table, image) if not row.res and "psnr_fov" in row.figures]

    def best(of_inr: bool) -> Scored | None:
        group = [row for row in rows if ("fourier_dim" in row.figures) == of_inr]
        return max(group, key=lambda row: row.figures["psnr_fov"], default=None)

    return best(False), best(True)


def _place(value: float, values: pd.Series, low: float, high: float) -> Place:
    def along(number: float) -> float:
        return round(100 * (number - low) / (high - low), 2) if high > low else 50.0

    finite = values[np.isfinite(values)]
    ends = finite.quantile([0, 0.25, 0.5, 0.75, 1])
    least, *quartiles, most = (float(end) for end in ends)
    middle = quartiles[1]
    text = f"{value:.4g}; {len(finite)} images: {least:.4g} to {most:.4g}, median {middle:.4g}"
    others = tuple(along(other) for other in sorted(finite))
    return Place(along(value), others, tuple(map(along, quartiles)), text)
