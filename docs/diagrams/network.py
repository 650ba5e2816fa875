"""From a position to a predicted voxel."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from cordinr.inr.lattices import ISOTROPIC_SPACINGS, SLICE_FRACTIONS
from cordinr.inr.settings import FitSettings

from .style import AXIAL, BOTH, FAINT, INK, LIGHT, SAGITTAL, blank, card


def _box(axes: Axes, x: float, y: float, w: float, h: float, text: str, colour: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x, y),
            w,
            h,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=LIGHT.get(colour, "white"),
            edgecolor=colour,
            linewidth=1.5,
        )
    )
    axes.text(x + w / 2, y + h / 2, text, ha="center", va="center", linespacing=1.35)


def _arrow(axes: Axes, start: Sequence[float], end: Sequence[float]) -> None:
    style = {"arrowstyle": "-|>", "mutation_scale": 11, "color": INK, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(start, end, **style))


def _lattice(
    axes: Axes, x: float, y: float, size: float, cells: Sequence[int], colour: str
) -> None:
    for lines, count in enumerate(cells):
        for at in np.linspace(0, size, count + 1):
            ends = (
                ((x + at, x + at), (y, y + size))
                if lines == 0
                else ((x, x + size), (y + at, y + at))
            )
            axes.plot(*ends, color=colour, linewidth=0.7, solid_capstyle="projecting")


def network() -> Figure:
    """From a position to an intensity, to a voxel of a view, to the loss."""
    settings = FitSettings()
    per_view, isotropic = len(SLICE_FRACTIONS), len(ISOTROPIC_SPACINGS)
    coarsest, finest = ISOTROPIC_SPACINGS[0], ISOTROPIC_SPACINGS[-1]
    features = (isotropic + 2 * per_view) * settings.channels
    figure = card(10, 5.0)
    axes = figure.add_axes((0.0, 0.0, 1, 1))
    blank(axes)
    axes.patch.set_visible(False)
    axes.set_xlim(0, 20)
    axes.set_ylim(0, 10)
    axes.text(10, 9.35, "The network, and what it is compared with", ha="center", fontsize=11)
    _box(axes, 0.4, 5.35, 2.2, 1.5, "position\nx = (R, A, S)\nin mm", INK)
    _box(
        axes,
        3.9,
        7.1,
        4.6,
        1.5,
        "Fourier features\n[sin 2πBx, cos 2πBx]\n2F numbers, B fixed",
        SAGITTAL,
    )
    axes.add_patch(
        FancyBboxPatch(
            (3.9, 3.3),
            4.6,
            3.3,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=LIGHT[AXIAL],
            edgecolor=AXIAL,
            linewidth=1.5,
        )
    )
    axes.text(
        6.2,
        5.95,
        f"feature lattices, interpolated\n{features} numbers for two views, learnt",
        ha="center",
        va="center",
        linespacing=1.35,
    )
    for k, (cells, colour) in enumerate(
        (
            ((1, 1), INK),
            ((2, 2), INK),
            ((5, 5), INK),
            ((10, 10), INK),
            ((10, 3), AXIAL),
            ((3, 10), SAGITTAL),
        )
    ):
        _lattice(axes, 4.12 + 0.71 * k, 4.45, 0.55, cells, colour)
    axes.text(
        5.45,
        3.85,
        f"{isotropic} isotropic,\n{coarsest} to {finest} voxels",
        ha="center",
        va="center",
        fontsize=7.5,
    )
    axes.text(
        7.4, 3.85, f"{per_view} shaped like\neach view", ha="center", va="center", fontsize=7.5
    )
    _arrow(axes, (2.6, 6.3), (3.9, 7.8))
    _arrow(axes, (2.6, 5.9), (3.9, 5.2))
    text = f"MLP\n{settings.depth} layers of {settings.width},\nGELU"
    _box(axes, 10.0, 5.35, 3.0, 1.5, text, INK)
    _arrow(axes, (8.5, 7.8), (10.0, 6.5))
    axes.text(
        9.75, 7.55, "weights\nbegin at 0", fontsize=7.5, ha="center", va="center", color=SAGITTAL
    )
    _arrow(axes, (8.5, 5.2), (10.0, 5.8))
    _box(axes, 14.1, 5.35, 2.1, 1.5, "intensity\nI(x)", BOTH)
    _arrow(axes, (13.0, 6.1), (14.1, 6.1))
    _arrow(axes, (16.2, 6.1), (17.3, 6.1))
    _box(axes, 17.3, 5.35, 2.3, 1.5, "rendering:\nI at the voxels\nof any grid", BOTH)
    axes.plot([0.5, 19.5], [2.95, 2.95], color=FAINT, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.text(0.5, 2.6, "during the fit only", color=FAINT, va="center")
    _box(
        axes,
        12.2,
        0.65,
        5.9,
        1.55,
        "predicted voxel of the view:\nweighted mean of I over the points\n"
        "of the slice profile, Σ w I(x + d n)",
        INK,
    )
    _box(
        axes,
        7.3,
        0.65,
        3.9,
        1.55,
        "loss: squared difference,\ndrawn to total variation,\nsmoothed if views are noisy",
        INK,
    )
    _box(axes, 2.6, 0.65, 3.4, 1.55, "measured voxel\nof the view", INK)
    _arrow(axes, (15.15, 5.35), (15.15, 2.2))
    _arrow(axes, (12.2, 1.42), (11.2, 1.42))
    _arrow(axes, (6.0, 1.42), (7.3, 1.42))
    return figure
