"""Quality of the INR against one of its settings: the Fourier dimension, or sigma."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..bids.names import variant_setting
from ..errors import InputError
from ..evaluation.table import on_raw_grid
from ..methods import BASELINES, INR
from .style import (
    WIDTH_INCHES,
    axis_label,
    check_region,
    count_text,
    draw_heading,
    keep_finite,
    place_axes,
    quartiles,
    region_text,
    styled,
)

SETTINGS = {"fourier_dim": "Fourier dimension", "sigma": "sigma (cycles/mm)"}
"""Labels of the axis of the setting, by its column of the table."""

MIN_TICK_GAP = 0.14
"""Minimum distance of two tick labels that stand side by side, as a fraction of the axes' width."""


def ablation_data(
    table: pd.DataFrame, region: str = "fov", over: str = "fourier_dim"
) -> pd.DataFrame:
    """Compute what the figure shows: median and quartiles over images at each value of a setting.

    Args:
        table: tidy metrics.
        region: "fov", "fg" or "cord".
        over: "fourier_dim", or "sigma" of the INRs of the largest dimension fitted with several.

    Returns:
        One row per `measure` (`psnr_fov`, `ssim_fov`, and `..._gain`: difference from the best
        baseline of the same image), `method` and value of the setting (none for baselines), with
        the columns of `quartiles`, and lowest and highest median of a seed; over sigma also the
        `fourier_dim` of them all. Images without metrics for every value are left out.

    Raises:
        InputError: the region is not known, no image has every INR, or there is only one sigma.
    """
    check_region(region)
    rows = on_raw_grid(table)
    inr = rows[rows["method"].eq("inr")]
    inr = _select_sigma_fits(inr) if over == "sigma" else inr[~_varies_in(inr, "sigma")]
    baselines = rows[rows["method"].isin(BASELINES)]
    rows_of_measures = [
        row
        for measure in (f"psnr_{region}", f"ssim_{region}")
        for row in _measure_rows(inr, baselines, measure, over)
    ]
    if not rows_of_measures:
        raise InputError(f"the table has no INR in region '{region}'; name another region.")
    data = pd.DataFrame(rows_of_measures).astype({over: float})
    return data.assign(fourier_dim=inr["fourier_dim"].iloc[0]) if over == "sigma" else data


def _varies_in(inr: pd.DataFrame, name: str) -> pd.Series:
    """Tell which rows are of variants in that setting; a bool column."""
    settings = inr["desc"].map(lambda label: (variant_setting(label) or ("",))[0])
    return settings.eq(name)


def _select_sigma_fits(inr: pd.DataFrame) -> pd.DataFrame:
    """Select the INRs of the largest dimension that was fitted with several sigmas."""
    dims = inr.loc[_varies_in(inr, "sigma"), "fourier_dim"]
    if dims.empty:
        raise InputError("the table has one sigma; set fourier_sigmas in the configuration.")
    return inr[inr["fourier_dim"].eq(dims.max()) & ~_varies_in(inr, "seed")]


def _measure_rows(
    inr: pd.DataFrame, baselines: pd.DataFrame, measure: str, over: str
) -> Iterator[dict[str, object]]:
    """Give the rows of the figure's data for one column of the table, levels before gains."""
    inr = inr.loc[keep_finite(inr[measure]).index].fillna({"seed": 0})
    if inr.empty:
        return
    fits = inr.pivot_table(measure, "image", [over, "seed"]).astype(float).dropna()
    baselines = baselines.loc[keep_finite(baselines[measure]).index]
    levels = baselines.pivot_table(measure, "image", "method").reindex(fits.index)
    best = levels.max(axis="columns")
    for suffix, subtracted in (("", 0 * best.fillna(0)), ("_gain", best)):
        differences = fits.sub(subtracted, axis="index").dropna()
        if differences.empty:
            continue
        name = {"measure": measure + suffix}
        for value, seed_fits in differences.T.groupby(level=over):
            medians = seed_fits.T.median()
            ends = {"seeds": len(medians), "seed_low": medians.min(), "seed_high": medians.max()}
            yield name | {"method": "inr", over: value} | quartiles(seed_fits.mean()) | ends
        if suffix:
            continue
        for method in filter(levels.columns.__contains__, BASELINES):
            level = levels[method].dropna()
            if len(level):
                yield name | {"method": method} | quartiles(level)


@styled
def ablation_figure(data: pd.DataFrame) -> Figure:
    """Draw what `ablation_data` gives: levels above, differences from the best baseline below."""
    over = "sigma" if "sigma" in data else "fourier_dim"
    region = data["measure"].iloc[0].split("_")[1]
    rows = ["", "_gain"] if data["measure"].str.endswith("_gain").any() else [""]
    figure = Figure(figsize=(WIDTH_INCHES, 1.4 + 1.6 * len(rows)))
    for (k, suffix), (j, measure) in product(enumerate(rows), enumerate(("psnr", "ssim"))):
        name = f"{measure}_{region}{suffix}"
        axes = figure.add_subplot(label=name)
        is_lowest = k == len(rows) - 1
        place_axes(axes, 0.76 + 3.36 * j, 1.1 + 1.6 * (not is_lowest), 2.5, 1.45)
        axes.set_ylabel(f"Gain in {axis_label(name)}" if suffix else axis_label(name))
        axes.yaxis.set_label_coords(-0.235, 0.5)
        part = data[data["measure"].eq(name)]
        _draw_baselines(axes, part[part["method"].isin(BASELINES)])
        if suffix:
            axes.axhline(0, color="0.3", linewidth=0.8)
        _draw_inr(axes, part[part["method"].eq("inr")], over)
        _set_ticks(axes, data[over].dropna().unique(), over, is_lowest)
    gain = "; gain: over the best baseline of each image" if len(rows) > 1 else ""
    dim = f", F = {data['fourier_dim'].iloc[0]:.0f}" if over == "sigma" else ""
    draw_heading(figure, f"{region_text(region)}, {count_text(data['images'])}{dim}{gain}")
    _draw_legend(figure, data)
    return figure


def _draw_inr(axes: Axes, rows: pd.DataFrame, over: str) -> None:
    """Draw median, band over images, and bars from the lowest to the highest seed."""
    colour = INR.colour
    band = {"color": colour, "alpha": 0.25}
    if len(rows) > 1:
        axes.fill_between(rows[over], rows["low"], rows["high"], linewidth=0, **band)
    else:
        axes.vlines(rows[over], rows["low"], rows["high"], linewidth=12, **band)
    axes.plot(rows[over], rows["median"], color=colour, linewidth=1.8, marker="o", markersize=4)
    seeded = rows[rows["seeds"].gt(1)]
    for end in ("seed_low", "seed_high"):
        axes.plot(seeded[over], seeded[end], "_", color="k", markersize=7)
    axes.vlines(seeded[over], seeded["seed_low"], seeded["seed_high"], color="k", lw=1, zorder=3)


def _draw_baselines(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw a line with a band for each baseline."""
    for row in rows.itertuples():
        method = BASELINES[row.method]
        axes.axhspan(row.low, row.high, color=method.colour, alpha=0.13, linewidth=0)
        axes.axhline(row.median, color=method.colour, linestyle=method.dashes, linewidth=1.4)


def _set_ticks(axes: Axes, values: np.ndarray, over: str, labelled: bool) -> None:
    """Set a tick at each value; turn the labels where two would be too close."""
    values = np.sort(values)
    axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{value:g}" if labelled else "" for value in values])
    axes.set_xticks([], minor=True)
    axes.set_xlim(values[0] / 1.2, values[-1] * 1.2)
    axes.set_xlabel(SETTINGS[over] if labelled else "")
    steps = np.diff(np.log(values)) / np.log(values[-1] * 1.44 / values[0])
    if steps.size and steps.min() < MIN_TICK_GAP:
        axes.tick_params(axis="x", labelrotation=90)


def _draw_legend(figure: Figure, data: pd.DataFrame) -> None:
    """Draw the legend below: line and band of each method, and what they mean."""
    handles, labels = [], []
    for name, method in {"inr": INR, **BASELINES}.items():
        if data["method"].eq(name).any():
            line = Line2D([], [], color=method.colour, linestyle=method.dashes, linewidth=1.6)
            handles.append((Patch(color=method.colour, alpha=0.2, linewidth=0), line))
            labels.append(method.name)
    if data["seeds"].max() > 1:
        handles.append(Line2D([], [], color="k", marker="|", markersize=9, linestyle=""))
        labels.append(f"lowest to highest of {data['seeds'].max():.0f} seeds")
    band = " or ".join(data["band"].unique())
    meaning = f"Line and band: median and {band} of the images"
    figure.legend(
        handles,
        labels,
        loc="lower center",
        ncols=len(labels),
        title=meaning if data["images"].max() > 1 else None,
        title_fontsize=8,
        handlelength=2.6,
        columnspacing=1.4,
    )
