"""Quality of the INR against a setting of it: the Fourier dimension, or the spread sigma."""

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
    REGIONS,
    WIDTH_INCHES,
    check_region,
    counted,
    finite,
    frame,
    heading,
    quartiles,
    styled,
    unit,
)

SETTINGS = {"fourier_dim": "Fourier dimension", "sigma": "sigma (cycles/mm)"}


MIN_TICK_GAP = 0.14
"""Of the width of the axes: between the middles of two numbers that stand side by side."""


def ablation_data(
    table: pd.DataFrame, region: str = "fov", over: str = "fourier_dim"
) -> pd.DataFrame:
    """What the figure shows: the spread over images at each value of the setting.

    Args:
        table: tidy metrics.
        region: "fov", "fg" or "cord".
        over: "fourier_dim", or "sigma" of the INRs of the largest dimension fitted with several.

    Returns:
        One row per `measure` (`psnr_fov`, `ssim_fov`, and `..._gain`: difference from the best
        baseline of the same image), `method` and value of the setting (none for baselines), with
        the columns of `quartiles`, and lowest and highest median of a seed; over sigma also the
        `fourier_dim` of them all. Images without figures for every value are left out.

    Raises:
        InputError: the region is not known, no image has every INR, or one sigma is all there is.
    """
    check_region(region)
    rows = on_raw_grid(table)
    inr = rows[rows["method"].eq("inr")]
    inr = _of_several_sigmas(inr) if over == "sigma" else inr[~_varies(inr, "sigma")]
    found = [
        row
        for measure in (f"psnr_{region}", f"ssim_{region}")
        for row in _measured(inr, rows[rows["method"].isin(BASELINES)], measure, over)
    ]
    if not found:
        raise InputError(f"the table has no INR in region '{region}'; name another region.")
    data = pd.DataFrame(found).astype({over: float})
    return data.assign(fourier_dim=inr["fourier_dim"].iloc[0]) if over == "sigma" else data


def _varies(inr: pd.DataFrame, name: str) -> pd.Series:
    """Which rows are of variants in that setting."""
    settings = inr["desc"].map(lambda label: (variant_setting(label) or ("",))[0])
    return settings.eq(name)


def _of_several_sigmas(inr: pd.DataFrame) -> pd.DataFrame:
    dims = inr.loc[_varies(inr, "sigma"), "fourier_dim"]
    if dims.empty:
        raise InputError("the table has one sigma; set fourier_sigmas in the configuration.")
    return inr[inr["fourier_dim"].eq(dims.max()) & ~_varies(inr, "seed")]


def _measured(
    inr: pd.DataFrame, baselines: pd.DataFrame, measure: str, over: str
) -> Iterator[dict[str, object]]:
    inr = inr.loc[finite(inr[measure]).index].fillna({"seed": 0})
    if inr.empty:
        return
    fits = inr.pivot_table(measure, "image", [over, "seed"]).astype(float).dropna()
    baselines = baselines.loc[finite(baselines[measure]).index]
    levels = baselines.pivot_table(measure, "image", "method").reindex(fits.index)
    best = levels.max(axis="columns")
    for suffix, less in (("", 0 * best.fillna(0)), ("_gain", best)):
        shown = fits.sub(less, axis="index").dropna()
        if shown.empty:
            continue
        name = {"measure": measure + suffix}
        for value, of_seeds in shown.T.groupby(level=over):
            medians = of_seeds.T.median()
            ends = {"seeds": len(medians), "seed_low": medians.min(), "seed_high": medians.max()}
            yield name | {"method": "inr", over: value} | quartiles(of_seeds.mean()) | ends
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
        lowest = k == len(rows) - 1
        frame(axes, 0.76 + 3.36 * j, 1.1 + 1.6 * (not lowest), 2.5, 1.45)
        axes.set_ylabel(f"Gain in {unit(name)}" if suffix else unit(name))
        axes.yaxis.set_label_coords(-0.235, 0.5)
        shown = data[data["measure"].eq(name)]
        _levels(axes, shown[shown["method"].isin(BASELINES)])
        if suffix:
            axes.axhline(0, color="0.3", linewidth=0.8)
        _curve(axes, shown[shown["method"].eq("inr")], over)
        _ticks(axes, data[over].dropna().unique(), over, lowest)
    gain = "; gain: over the best baseline of each image" if len(rows) > 1 else ""
    dim = f", F = {data['fourier_dim'].iloc[0]:.0f}" if over == "sigma" else ""
    heading(figure, f"{REGIONS[region].capitalize()}, {counted(data['images'])}{dim}{gain}")
    _legend(figure, data)
    return figure


def _curve(axes: Axes, rows: pd.DataFrame, over: str) -> None:
    """Median, band over images, and bars from the lowest to the highest seed."""
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


def _levels(axes: Axes, rows: pd.DataFrame) -> None:
    """A line with a band for each baseline."""
    for row in rows.itertuples():
        method = BASELINES[row.method]
        axes.axhspan(row.low, row.high, color=method.colour, alpha=0.13, linewidth=0)
        axes.axhline(row.median, color=method.colour, linestyle=method.dashes, linewidth=1.4)


def _ticks(axes: Axes, values: np.ndarray, over: str, named: bool) -> None:
    """A tick at each value, upright where two would be too close."""
    values = np.sort(values)
    axes.set_xscale("log", base=2)
    axes.set_xticks(values, [f"{value:g}" if named else "" for value in values])
    axes.set_xticks([], minor=True)
    axes.set_xlim(values[0] / 1.2, values[-1] * 1.2)
    axes.set_xlabel(SETTINGS[over] if named else "")
    steps = np.diff(np.log(values)) / np.log(values[-1] * 1.44 / values[0])
    if steps.size and steps.min() < MIN_TICK_GAP:
        axes.tick_params(axis="x", labelrotation=90)


def _legend(figure: Figure, data: pd.DataFrame) -> None:
    """Below: line and band of each method, and what they mean."""
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
