"""The figure of what a reconstruction explains of its scans, slice by slice."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..acquisition.view import View
from ..trust.assess import Assessment
from ..trust.slice_words import SliceWord
from ..trust.stack_assessment import StackAssessment
from .plane_page import GREY, GREY_WINDOW, SIGNED, choose_error_limit
from .style import drop_control_characters, styled

WIDTH_INCHES = 10.0
"""Width of the figure in inches."""

MAX_LINE = 150
"""Characters of the verdict in a line."""

ROW_INCHES = 2.2
"""Height of a row in inches: one per stack."""

COLOURS: dict[SliceWord, str] = {
    "ok": "#0072B2",
    "dark": "#111111",
    "bright": "#E69F00",
    "disagrees": "#D55E00",
    "left out": "0.6",
    "unknown": "0.8",
}
"""Colours of the bars by the word for the slice, after Okabe and Ito."""


@styled
def residual_figure(views: Sequence[View], assessment: Assessment, title: str) -> Figure:
    """Draw a row for each stack: its middle slice, and the residuals of all slices.

    Args:
        views: that were assessed.
        assessment: of a reconstruction.
        title: above the figure.

    Returns:
        Measured, predicted and their difference in percent of R, then bars per slice. Axes are
        labelled "stack: column".
    """
    rows = len(views)
    lines = textwrap.wrap(drop_control_characters(assessment.sentence), MAX_LINE)
    heading = 0.65 + 0.15 * len(lines)
    figure = Figure(figsize=(WIDTH_INCHES, heading + ROW_INCHES * rows + 0.4))
    height = figure.get_figheight()
    figure.text(0.01, 1 - 0.05 / height, drop_control_characters(title), va="top", weight="bold")
    figure.text(0.01, 1 - 0.23 / height, "\n".join(lines), va="top")
    cells = figure.add_gridspec(
        rows,
        4,
        width_ratios=(1, 1, 1, 2),
        left=0.02,
        right=0.99,
        bottom=0.4 / height,
        top=1 - heading / height,
        hspace=0.3,
        wspace=0.12,
    )
    for row, (view, stack) in enumerate(zip(views, assessment.stacks, strict=True)):
        axes = [
            figure.add_subplot(cells[row, k], label=f"{stack.name}: {name}")
            for k, name in enumerate(("measured", "predicted", "difference", "slices"))
        ]
        _draw_slice(axes[:3], view, stack)
        _draw_bars(axes[3], stack, is_last=row == rows - 1)
    return figure


def _draw_slice(axes: Sequence[Axes], view: View, stack: StackAssessment) -> None:
    """Draw the slice in the middle of those that are predicted."""
    number = _middle_slice(stack)
    measured, predicted = (
        orient_slice(view, np.moveaxis(array, view.axis, 0)[number])
        for array in (view.volume.array, stack.residual.predicted)
    )
    low, high = np.percentile(view.voxels, GREY_WINDOW)
    error = 100 * (measured - predicted) / stack.residual.peak
    known = error[np.isfinite(error)]
    limit = choose_error_limit(known) if known.size else 1
    style = {"aspect": _pixel_ratio(view), "interpolation": "nearest"}
    for each in axes:
        each.set_axis_off()
    axes[0].imshow(measured, cmap=GREY, vmin=low, vmax=high, **style)
    axes[1].imshow(predicted, cmap=GREY, vmin=low, vmax=high, **style)
    axes[2].imshow(error, cmap=SIGNED, vmin=-limit, vmax=limit, **style)
    name = drop_control_characters(stack.name)
    axes[0].set_title(
        f"{name}\nslice {stack.first_slice + number}, measured", loc="left", fontsize=8
    )
    axes[1].set_title("predicted", fontsize=8)
    axes[2].set_title(f"difference, \N{PLUS-MINUS SIGN}{limit} % of range", fontsize=8)


def _draw_bars(axes: Axes, stack: StackAssessment, is_last: bool) -> None:
    """Draw residuals as bars, and differences from other scans as points, in percent of R."""
    numbers = stack.first_slice + np.arange(len(stack.words))
    residual = 100 * stack.residual.numbers.difference
    crossing = 100 * stack.crossing.difference
    colours = [COLOURS[word] for word in stack.words]
    axes.bar(numbers, np.nan_to_num(residual), color=colours, width=0.8)
    if np.isfinite(crossing).any():
        axes.scatter(
            numbers, crossing, s=14, facecolors="w", edgecolors="0.2", linewidths=0.8, zorder=3
        )
    axes.axhline(100 * stack.residual.noise, color="0.4", linewidth=0.8, linestyle="--")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(numbers[0] - 0.7, numbers[-1] + 0.7)
    axes.set_ylim(bottom=0)
    axes.set_title(
        "% of range: residual (bars), others (points), noise (dashed)",
        fontsize=8,
        loc="left",
    )
    words = [word for word in COLOURS if word in stack.words and word != "ok"]
    if words:
        handles = [axes.bar(0, 0, color=COLOURS[word]) for word in words]
        axes.legend(handles, words, loc="upper left", ncols=len(words))
    if is_last:
        axes.set_xlabel("slice")


def _middle_slice(stack: StackAssessment) -> int:
    """The slice in the middle of those that the image covers; of all where it covers none."""
    voxels = stack.residual.numbers.voxels
    seen = np.flatnonzero(voxels > voxels.max() / 2)
    return int(seen[len(seen) // 2]) if len(seen) else len(voxels) // 2


def orient_slice(view: View, pixels: np.ndarray) -> np.ndarray:
    """Turn a slice so that it is seen as on the other figures.

    Superior is up, or else anterior; the patient's right is on the left, or else anterior.

    Args:
        view: which the slice is of.
        pixels: (n, m) along both axes of the plane, in the order of the array.
    """
    across, upwards = _picture_axes(view)
    pixels = pixels.T if across < upwards else pixels
    directions = view.volume.grid.directions
    # A picture's rows run downwards; its columns from right to left and from front to back.
    pixels = pixels[::-1] if _along_world(directions[:, upwards]) > 0 else pixels
    return pixels[:, ::-1] if _along_world(directions[:, across]) > 0 else pixels


def _picture_axes(view: View) -> tuple[int, int]:
    """The array axes from side to side and upwards in the picture of a slice."""
    one, other = view.in_plane
    closest = np.abs(view.volume.grid.directions).argmax(axis=0)
    return (other, one) if closest[one] > closest[other] else (one, other)


def _along_world(direction: np.ndarray) -> float:
    """The largest component of a direction: positive to the right, the front or upwards."""
    return float(direction[np.abs(direction).argmax()])


def _pixel_ratio(view: View) -> float:
    """Height over width of a pixel in the picture of a slice."""
    across, upwards = _picture_axes(view)
    sizes = view.volume.grid.voxel_sizes
    return float(sizes[upwards] / sizes[across])
