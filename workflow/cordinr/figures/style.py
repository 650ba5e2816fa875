"""What the figures of all images share: style, colours, the spread of a sample, SVG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..errors import InputError, shorten
from ..files import atomic

REGIONS = {"fov": "common field of view", "fg": "foreground", "cord": "spinal cord"}

WIDTH_INCHES = 6.7
"""Inches: two columns of a journal."""

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
"""Text stays text and is never taken for a formula; with one salt equal figures are equal bytes."""

styled = rc_context(STYLE)
"""Decorates what draws."""

MIN_FOR_QUARTILES = 5

MAX_NAME_LENGTH = 22
"""Characters of an image or a site beside its row."""


def quartiles(values: pd.Series) -> dict[str, object]:
    """Median of a sample and how far it spreads.

    Args:
        values: one per image.

    Returns:
        `images`, `median`, `low`, `high`, and `band`: what low and high are, "quartiles" or, of
        fewer than five images, "range".
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


def finite(values: pd.Series) -> pd.Series:
    """Without the figures of images that are missing or perfect, as floats."""
    values = values.astype(float)
    return values[np.isfinite(values)]


def check_region(region: str) -> None:
    """Refuse what is no region of the metrics."""
    if region not in REGIONS:
        raise InputError(f"region '{region}' is not known; use {', '.join(REGIONS)}.")


def counted(images: Sequence[int]) -> str:
    """`n = 20 images`, or from how few to how many there are in the parts of a figure."""
    fewest, most = min(images), max(images)
    some = f"{most:.0f}" if fewest == most else f"{fewest:.0f} to {most:.0f}"
    return f"n = {some} image{'' if most == 1 else 's'}"


def unit(measure: str) -> str:
    """The label of an axis for a column of the table: `PSNR (dB)`, `SSIM`."""
    return "PSNR (dB)" if measure.startswith("psnr") else "SSIM"


def printable(text: str) -> str:
    """Without control characters, which no SVG may hold."""
    return "".join(filter(str.isprintable, text))


def heading(figure: Figure, text: str) -> None:
    """One line at the upper left of a figure."""
    text = printable(text)
    figure.text(0.08 / figure.get_figwidth(), 1 - 0.08 / figure.get_figheight(), text, va="top")


def frame(axes: Axes, left: float, bottom: float, width: float, height: float) -> None:
    """Place axes by inches from the lower left corner of their figure."""
    whole = axes.figure.get_size_inches()
    axes.set_position([left / whole[0], bottom / whole[1], width / whole[0], height / whole[1]])


def row_figure(names: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """A figure of one row per name, with axes for PSNR of the best INR and for its gain.

    Args:
        names: from top to bottom; long ones lose their middle.

    Returns:
        The figure and its axes, where row k lies at height k.
    """
    height = 0.17 * len(names) + 0.1
    figure = Figure(figsize=(WIDTH_INCHES, height + 0.95))
    names = [shorten(printable(name), MAX_NAME_LENGTH) for name in names]
    labels = {"psnr_inr": "PSNR of the best INR (dB)", "gain": "PSNR over best baseline (dB)"}
    for k, (name, label) in enumerate(labels.items()):
        axes = figure.add_subplot(label=name)
        frame(axes, 1.95 + 2.4 * k, 0.62, 2.2, height)
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
    nothing = {"Date": None, "Creator": None}
    with atomic(path) as partial:
        figure.savefig(partial, format="svg", metadata=nothing)
