"""Quality against time: PSNR of each method against the seconds that it takes."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ..errors import InputError
from ..evaluation.table import on_raw_grid, without_variants
from ..methods import BASELINES, INR, method_name
from .style import (
    WIDTH_INCHES,
    check_region,
    count_text,
    draw_heading,
    keep_finite,
    place_axes,
    region_text,
    styled,
)

COLUMNS = [
    "kind",
    "image",
    "images",
    "method",
    "fourier_dim",
    "device",
    "seconds",
    "psnr",
    "region",
]
"""Columns of `time_data`."""

MIN_SECONDS = 0.001
"""Shortest time that is drawn, in seconds: records are rounded to it."""


def time_data(table: pd.DataFrame, region: str = "fov") -> pd.DataFrame:
    """Compute one row per image and method, and one at the medians of each method.

    Args:
        table: tidy metrics with the costs of the methods.
        region: whose PSNR counts, "fov", "fg" or "cord".

    Returns:
        `kind` ("image" or "median"), `image`, `images` (how many the row stands for), `method`,
        `fourier_dim`, `device`, `seconds` (of fit and rendering, or of the baseline), `psnr` (dB),
        `region`.

    Raises:
        InputError: the region is not known, or no row has PSNR and seconds.
    """
    check_region(region)
    rows = on_raw_grid(without_variants(table))
    rows = rows.loc[keep_finite(rows[f"psnr_{region}"]).index]
    seconds = rows["fit_seconds"].astype(float) + rows["render_seconds"].astype(float).fillna(0)
    columns = {"kind": "image", "images": 1, "region": region, "psnr": rows[f"psnr_{region}"]}
    rows = rows.assign(**columns, seconds=seconds.clip(lower=MIN_SECONDS)).dropna(subset="seconds")
    rows = rows[rows["method"].isin(["inr", *BASELINES])]
    if rows.empty:
        raise InputError("no row has PSNR and seconds; `cordinr aggregate --index` knows seconds.")
    methods = rows.groupby(["method", "fourier_dim"], dropna=False)
    medians = methods.agg({"seconds": "median", "psnr": "median", "images": "sum"}).reset_index()
    data = pd.concat([medians.assign(kind="median", region=region), rows], ignore_index=True)
    order = ["kind", "method", "fourier_dim", "image"]
    data = data.sort_values(order, ascending=[False, True, True, True], ignore_index=True)
    return data[COLUMNS]


@styled
def time_figure(data: pd.DataFrame) -> Figure:
    """Draw what `time_data` gives: small points are images, large ones the medians of a method."""
    medians, images = (data[data["kind"].eq(kind)] for kind in ("median", "image"))
    figure = Figure(figsize=(WIDTH_INCHES, 3.45))
    axes = figure.add_subplot(label="time")
    place_axes(axes, 0.55, 0.5, 4.55, 2.6)
    small = {"linestyle": "", "markersize": 3, "markeredgewidth": 0, "alpha": 0.45, "zorder": 1}
    large = {"linestyle": "", "markersize": 8, "markeredgecolor": "k", "zorder": 2}
    for (method, dim), marks in _mark_methods(medians).items():
        points, middle = (
            part[part["method"].eq(method) & part["fourier_dim"].fillna(0).eq(dim)]
            for part in (images, medians)
        )
        name = method_name(method, dim or None)
        axes.plot(points["seconds"], points["psnr"], **small, **marks)
        axes.plot(middle["seconds"], middle["psnr"], label=name, **large, **marks)
    axes.set_xscale("log")
    is_narrow = data["seconds"].max() < 100 * data["seconds"].min()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if is_narrow else (1,)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("Fit and rendering, or baseline (s)")
    axes.set_ylabel("PSNR (dB)")
    axes.grid(color="0.9", linewidth=0.5)
    axes.set_axisbelow(True)
    figure.legend(loc="center right", title="Large: medians", title_fontsize=8)
    devices = sorted(images.loc[images["method"].eq("inr"), "device"].dropna().unique())
    detail = f"; INRs on {', '.join(devices)}" if devices else ""
    region = region_text(data["region"].iloc[0])
    draw_heading(figure, f"{region}, {count_text(medians['images'])}{detail}")
    return figure


def _mark_methods(medians: pd.DataFrame) -> dict[tuple[str, int], dict[str, Any]]:
    """Choose marker and colour of each method and dimension; larger dimensions are darker."""
    marks: dict[tuple[str, int], dict[str, Any]] = {}
    for method in filter(set(medians["method"]).__contains__, BASELINES):
        marks[method, 0] = {
            "marker": BASELINES[method].marker,
            "color": BASELINES[method].colour,
        }
    dims = sorted(medians.loc[medians["method"].eq("inr"), "fourier_dim"].fillna(0).astype(int))
    for dim, blue in zip(dims, np.linspace(0.35, 1, len(dims)), strict=True):
        marks["inr", dim] = {"marker": INR.marker, "color": colormaps["Blues"](blue)}
    return marks
