"""The best INR and baseline of each image, and which images are far below the others."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..errors import InputError
from ..evaluation.table import on_raw_grid, without_variants
from ..methods import INR
from .style import REGIONS, check_region, counted, finite, heading, row_figure, styled

OUTLIER_Z = 3.5
"""Robust standard deviations beyond which an image is an outlier (Iglewicz and Hoaglin, 1993)."""

MIN_IMAGES = 8
"""Images without which none can be called an outlier."""

MAX_ROWS = 30
"""Images that the figure shows; the table beside it has all."""

MAD_TO_STD = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution."""

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


def margins(table: pd.DataFrame, region: str = "fov") -> pd.DataFrame:
    """The best INR and the best baseline of every image, and their difference.

    Args:
        table: tidy metrics.
        region: whose PSNR counts, "fov", "fg" or "cord".

    Returns:
        One row per image with an INR: the columns `MARGIN_COLUMNS`, PSNR and gain in dB, INR and
        baseline as desc label. An image without baseline has no gain.

    Raises:
        InputError: the region is not known, or no image has an INR with figures for it.
    """
    check_region(region)
    psnr = f"psnr_{region}"
    rows = on_raw_grid(without_variants(table))
    rows = rows.loc[finite(rows[psnr]).index].sort_values(psnr, ascending=False, kind="stable")
    best = rows.assign(kind=rows["method"].eq("inr")).drop_duplicates(["image", "kind"])
    columns = ["image", "subject", "site", "desc", psnr]
    inr = best.loc[best["kind"], columns].rename(columns={"desc": "inr", psnr: "psnr_inr"})
    if inr.empty:
        raise InputError(f"the table has no INR in region '{region}'; name another region.")
    others = best.loc[~best["kind"], ["image", "method", psnr]]
    others = others.rename(columns={"method": "baseline", psnr: "psnr_baseline"})
    found = inr.merge(others, "left", "image")
    found["gain"] = found["psnr_inr"] - found["psnr_baseline"]
    return found[MARGIN_COLUMNS].sort_values("image").reset_index(drop=True)


def robust_z(values: pd.Series) -> pd.Series:
    """Distance from the median in robust standard deviations.

    Args:
        values: one per image. NaN for fewer than `MIN_IMAGES` of them, or where half are equal.
    """
    deviation = robust_deviation(values)
    known = values.count() >= MIN_IMAGES and deviation > 0
    return (values - values.median()) / (deviation if known else np.nan)


def robust_deviation(values: pd.Series) -> float:
    """The standard deviation of a normal distribution with the median absolute deviation."""
    return MAD_TO_STD * (values - values.median()).abs().median()


def outliers_data(table: pd.DataFrame, region: str = "fov") -> pd.DataFrame:
    """The margins with robust z of PSNR and gain, the image that is furthest below first.

    Returns:
        The columns of `margins`, `z_psnr`, `z_gain`, `z` (the lower of both), `outlier`, `region`.
    """
    data = margins(table, region)
    data["z_psnr"], data["z_gain"] = robust_z(data["psnr_inr"]), robust_z(data["gain"])
    data["z"] = data[["z_psnr", "z_gain"]].min(axis="columns")
    data["outlier"] = data["z"] < -OUTLIER_Z
    return data.assign(region=region).sort_values(["z", "psnr_inr"], ignore_index=True)


@styled
def outliers_figure(data: pd.DataFrame) -> Figure:
    """Draw what `outliers_data` gives: PSNR and gain of the images furthest below.

    Grey is the median of all images, and the range that is not far from it.
    """
    shown = data.head(MAX_ROWS)
    figure, columns = row_figure(shown["image"])
    for axes, z in zip(columns, ("z_psnr", "z_gain"), strict=True):
        everyone = data[axes.get_label()]
        if data[z].notna().any():
            reach = OUTLIER_Z * robust_deviation(everyone)
            axes.axvspan(everyone.median() - reach, everyone.median() + reach, color="0.92", lw=0)
        axes.axvline(everyone.median(), color="0.45", linewidth=0.8)
        values, places = shown[axes.get_label()], np.arange(len(shown))
        far = shown[z].lt(-OUTLIER_Z)
        axes.plot(values[~far], places[~far], "o", color=INR.colour, markersize=4)
        axes.plot(values[far], places[far], "D", color="#D55E00", markeredgecolor="k", markersize=5)
    some = f", the {len(shown)} furthest below" if len(shown) < len(data) else ""
    region = REGIONS[data["region"].iloc[0]].capitalize()
    heading(figure, f"{region}, {counted([len(data)])}{some}; outliers: {data['outlier'].sum()}")
    return figure
