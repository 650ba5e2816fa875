"""Margins of the best INR of each image over its best baseline, and the outliers among them."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..errors import InputError
from ..evaluation.best import best_rows
from ..methods import INR
from .style import (
    check_region,
    count_text,
    draw_heading,
    keep_finite,
    make_row_figure,
    region_text,
    styled,
)

OUTLIER_Z = 3.5
"""Robust standard deviations beyond which an image is an outlier (Iglewicz and Hoaglin, 1993)."""

MIN_IMAGES = 8
"""Minimum number of images among which one can be called an outlier."""

MAX_ROWS = 30
"""Maximum number of images in the figure; the table beside it has all of them."""

MAD_TO_STD = 1.4826
"""Ratio of standard deviation to median absolute deviation in a normal distribution."""

MARGIN_COLUMNS = [
    "image",
    "subject",
    "site",
    "inr",
    "baseline",
    "psnr_inr",
    "psnr_baseline",
    "gain",
]
"""Columns of `compute_margins`."""


def compute_margins(table: pd.DataFrame, region: str = "fov") -> pd.DataFrame:
    """Compute by how much the best INR of every image exceeds the best baseline.

    Args:
        table: tidy metrics.
        region: whose PSNR counts, "fov", "fg" or "cord".

    Returns:
        One row per image with an INR: the columns `MARGIN_COLUMNS`, PSNR and gain in dB, INR and
        baseline as desc label. An image without baseline has no gain.

    Raises:
        InputError: the region is not known, or no image has an INR with metrics for it.
    """
    check_region(region)
    psnr = f"psnr_{region}"
    best = best_rows(table.loc[keep_finite(table[psnr]).index], region)
    is_inr = best["method"].eq("inr")
    columns = ["image", "subject", "site", "desc", psnr]
    inr = best.loc[is_inr, columns].rename(columns={"desc": "inr", psnr: "psnr_inr"})
    if inr.empty:
        raise InputError(f"the table has no INR in region '{region}'; name another region.")
    baseline = best.loc[~is_inr, ["image", "method", psnr]]
    baseline = baseline.rename(columns={"method": "baseline", psnr: "psnr_baseline"})
    margins = inr.merge(baseline, "left", "image")
    margins["gain"] = margins["psnr_inr"] - margins["psnr_baseline"]
    return margins[MARGIN_COLUMNS].sort_values("image").reset_index(drop=True)


def robust_z(values: pd.Series) -> pd.Series:
    """Compute the distance from the median in robust standard deviations.

    Args:
        values: one per image.

    Returns:
        One value per image; NaN for fewer than `MIN_IMAGES` images or a zero deviation.
    """
    deviation = robust_deviation(values)
    is_defined = values.count() >= MIN_IMAGES and deviation > 0
    return (values - values.median()) / (deviation if is_defined else np.nan)


def robust_deviation(values: pd.Series) -> float:
    """Compute the standard deviation of a normal distribution with the same median deviation."""
    return MAD_TO_STD * (values - values.median()).abs().median()


def outliers_data(table: pd.DataFrame, region: str = "fov") -> pd.DataFrame:
    """Compute the margins with robust z of PSNR and gain, the image furthest below first.

    Args:
        table: tidy metrics.
        region: whose PSNR counts, "fov", "fg" or "cord".

    Returns:
        The columns of `compute_margins`, `z_psnr`, `z_gain`, `z` (the lower of both), `outlier`,
        `region`.

    Raises:
        InputError: as `compute_margins`.
    """
    data = compute_margins(table, region)
    data["z_psnr"], data["z_gain"] = robust_z(data["psnr_inr"]), robust_z(data["gain"])
    data["z"] = data[["z_psnr", "z_gain"]].min(axis="columns")
    data["outlier"] = data["z"] < -OUTLIER_Z
    return data.assign(region=region).sort_values(["z", "psnr_inr"], ignore_index=True)


@styled
def outliers_figure(data: pd.DataFrame) -> Figure:
    """Draw what `outliers_data` gives: PSNR and gain of the images furthest below.

    The median of all images and the range of those that are not outliers are grey.
    """
    lowest = data.head(MAX_ROWS)
    figure, columns = make_row_figure(lowest["image"])
    for axes, z in zip(columns, ("z_psnr", "z_gain"), strict=True):
        all_values = data[axes.get_label()]
        if data[z].notna().any():
            reach = OUTLIER_Z * robust_deviation(all_values)
            axes.axvspan(
                all_values.median() - reach, all_values.median() + reach, color="0.92", lw=0
            )
        axes.axvline(all_values.median(), color="0.45", linewidth=0.8)
        values, heights = lowest[axes.get_label()], np.arange(len(lowest))
        is_far = lowest[z].lt(-OUTLIER_Z)
        axes.plot(values[~is_far], heights[~is_far], "o", color=INR.colour, markersize=4)
        axes.plot(
            values[is_far], heights[is_far], "D", color="#D55E00", markeredgecolor="k", markersize=5
        )
    detail = f", the {len(lowest)} furthest below" if len(lowest) < len(data) else ""
    text = f"{region_text(data['region'].iloc[0])}, {count_text([len(data)])}{detail}"
    draw_heading(figure, f"{text}; outliers: {data['outlier'].sum()}")
    return figure
