"""What the figures of all images share: style, quartiles, axes of rows, SVG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..errors import InputError, shorten
from ..evaluation.regions import REGIONS
from ..files import atomic

WIDTH_INCHES = 6.7
"""Width of a figure in inches: two columns of a journal."""

STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "cordinr",
    "text.parse_math": False,
}
"""Settings of matplotlib: text stays text and is never read as a formula.

With a fixed salt equal figures are equal bytes."""

styled = rc_context(STYLE)
"""Decorator that draws a figure with `STYLE`."""

MIN_FOR_QUARTILES = 5
"""Minimum number of images whose quartiles are shown instead of their range."""

MAX_NAME_LENGTH = 22
"""Maximum number of characters in the name of an image or a site beside its row."""


def quartiles(values: pd.Series) -> dict[str, object]:
    """Compute the median of a sample, and its quartiles or its range.

    Args:
        values: one per image.

    Returns:
        `images`, `median`, `low`, `high`, and `band`: what low and high are, "quartiles" or, for
        fewer than `MIN_FOR_QUARTILES` images, "range".
    """
    band = "quartiles" if len(values) >= MIN_FOR_QUARTILES else "range"
    ends = (0.25, 0.75) if band == "quartiles" else (0, 1)
    low, high = values.quantile(ends)
    return {
        "images": len(values),
        "median": values.median(),
        "low": low,
        "high": high,
        "band": band,
    }


def keep_finite(values: pd.Series) -> pd.Series:
    """Select the finite values, as floats: no metric is missing, no image perfect."""
    values = values.astype(float)
    return values[np.isfinite(values)]


def check_region(region: str) -> None:
    """Refuse a label that is not one of a region.

    Raises:
        InputError: the label is not known.
    """
    if region not in REGIONS:
        raise InputError(f"region '{region}' is not known; use {', '.join(REGIONS)}.")


def count_text(images: Sequence[int]) -> str:
    """Write how many images the parts of a figure show: `n = 20 images`, `n = 3 to 5 images`."""
    fewest, most = min(images), max(images)
    number = f"{most:.0f}" if fewest == most else f"{fewest:.0f} to {most:.0f}"
    return f"n = {number} image{'' if most == 1 else 's'}"


def region_text(label: str) -> str:
    """Write the name of a region at the beginning of a sentence."""
    return REGIONS[label].name.capitalize()


def axis_label(measure: str) -> str:
    """Write the label of an axis for a column of the table: `PSNR (dB)`, `SSIM`."""
    return "PSNR (dB)" if measure.startswith("psnr") else "SSIM"


def drop_control_characters(text: str) -> str:
    """Remove the characters of a text that no SVG may hold."""
    return "".join(filter(str.isprintable, text))


def draw_heading(figure: Figure, text: str) -> None:
    """Draw one line at the upper left of a figure."""
    text = drop_control_characters(text)
    figure.text(0.08 / figure.get_figwidth(), 1 - 0.08 / figure.get_figheight(), text, va="top")


def place_axes(axes: Axes, left: float, bottom: float, width: float, height: float) -> None:
    """Place axes by inches from the lower left corner of their figure."""
    size = axes.figure.get_size_inches()
    axes.set_position([left / size[0], bottom / size[1], width / size[0], height / size[1]])


def make_row_figure(names: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Make a figure of one row per name, with axes for PSNR of the best INR and for its gain.

    Args:
        names: from top to bottom; the middle of a long one is left out.

    Returns:
        The figure and its axes, where row k lies at height k.
    """
    height = 0.17 * len(names) + 0.1
    figure = Figure(figsize=(WIDTH_INCHES, height + 0.95))
    names = [shorten(drop_control_characters(name), MAX_NAME_LENGTH) for name in names]
    labels = {"psnr_inr": "PSNR of the best INR (dB)", "gain": "PSNR over best baseline (dB)"}
    for k, (name, label) in enumerate(labels.items()):
        axes = figure.add_subplot(label=name)
        place_axes(axes, 1.95 + 2.4 * k, 0.62, 2.2, height)
        axes.set_yticks(range(len(names)), [""] * len(names) if k else names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", color="0.85", linewidth=0.4)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel(label)
    return figure, figure.axes


@styled
def save_svg(path: Path | str, figure: Figure) -> None:
    """Write a figure; the same figure gives the same bytes."""
    no_metadata = {"Date": None, "Creator": None}
    with atomic(path) as partial:
        figure.savefig(partial, format="svg", metadata=no_metadata)
