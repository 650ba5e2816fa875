"""The ablation figure of the report: quality of the INR against Fourier dimension."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .errors import InputError

if TYPE_CHECKING:
    import pandas as pd

INR = ("INR", "#0072B2")
BASELINES = {
    "cubic": ("Cubic", "#009E73", ":"),
    "tikhonov": ("Tikhonov", "#D55E00", "--"),
    "tv": ("Total variation", "#9C5580", "-."),
}
"""Label, colour (after Okabe and Ito) and dashes, which tell them apart in grey print."""

LABEL_HEIGHT = 0.09
"""Of the axes: names on the right are at least this far apart."""

REGIONS = {"fov": "Common field of view", "fg": "Foreground", "cord": "Spinal cord"}

IMAGE = ["subject", "session", "image"]


def ablation_figure(table: "pd.DataFrame", region: str = "fov") -> Figure:
    """PSNR and SSIM of the INR against Fourier dimension, baselines as horizontal lines.

    Args:
        table: tidy metrics; rows with a `res` (renderings on other grids) are left out.
        region: "fov", "fg" or "cord".

    Raises:
        InputError: the region is not known, or the table has no INR with figures for it.
    """
    if region not in REGIONS:
        raise InputError(f"region '{region}' is not known; use {', '.join(REGIONS)}.")
    wanted = [f"psnr_{region}", f"ssim_{region}"]
    table = table.reindex(columns=[*IMAGE, "method", "fourier_dim", "res", *wanted])
    table = table[table["res"].fillna("").eq("")].dropna(subset=wanted)
    count = table[table["method"].eq("inr")].groupby(IMAGE, dropna=False).ngroups
    if not count:
        raise InputError(f"the table has no INR in region '{region}'; name another region.")
    figure = Figure(figsize=(3.94, 4.3))
    for column, unit, bottom in zip(wanted, ("PSNR (dB)", "SSIM"), (0.56, 0.12), strict=True):
        axes = figure.add_axes((0.17, bottom, 0.57, 0.37), label=column)
        axes.set_ylabel(unit, fontsize=9)
        _curves(axes, table, column)
    axes.set_xlabel("Fourier dimension", fontsize=9)
    figure.align_ylabels()
    drawn = "images (thin) and their mean" if count > 1 else "image"
    figure.text(0.05, 0.955, f"{REGIONS[region]}, n = {count} {drawn}", fontsize=8.5)
    return figure


def _curves(axes: Axes, table: "pd.DataFrame", column: str) -> None:
    """The INR per image and in the mean, a line per baseline, and their names on the right."""
    inr = table[table["method"].eq("inr")]
    label, colour = INR
    for _, rows in inr.groupby(IMAGE, dropna=False):
        rows = rows.sort_values("fourier_dim")
        axes.plot(rows["fourier_dim"], rows[column], color=colour, linewidth=0.7, alpha=0.5)
    mean = inr.groupby("fourier_dim")[column].mean()
    axes.plot(mean.index, mean, color=colour, linewidth=2, marker="o", markersize=4, label=label)
    ends = [(mean.iloc[-1], label, colour)]
    for method, (label, colour, dashes) in BASELINES.items():
        level = table.loc[table["method"].eq(method), column].mean()
        if np.isfinite(level):
            axes.axhline(level, color=colour, linestyle=dashes, linewidth=1.5, label=label)
            ends.append((level, label, colour))
    axes.set_xscale("log", base=2)
    axes.set_xticks(mean.index, [f"{dim:g}" for dim in mean.index])
    axes.set_xticks([], minor=True)
    axes.set_xlim(mean.index[0] / 1.2, mean.index[-1] * 1.2)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    low, high = axes.get_ylim()
    place = np.inf
    for level, label, colour in sorted(ends, reverse=True):
        place = min((level - low) / (high - low), place - LABEL_HEIGHT)
        axes.text(
            1.02, place, label, transform=axes.transAxes, color=colour, fontsize=8, va="center"
        )
