"""What is within reach of the views, and the error per frequency."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .style import AXIAL, BENCHMARKS, BOTH, INK, LIGHT, NEITHER, SAGITTAL, card


def k_space() -> Figure:
    """What two views measure, and what was recovered of it."""
    figure = card(10, 3.9)
    axes = figure.add_axes((0.08, 0.15, 0.24, 0.24 * 10 / 3.9))
    edge, cut = 0.5, 0.1
    for x, y, colour in ((1, 1, NEITHER), (-1, 1, NEITHER), (1, -1, NEITHER), (-1, -1, NEITHER)):
        axes.add_patch(
            Rectangle(
                (min(x * cut, x * edge), min(y * cut, y * edge)),
                edge - cut,
                edge - cut,
                facecolor=LIGHT[colour],
                edgecolor="#c8ccd1",
                hatch="///",
                linewidth=0,
            )
        )
    axes.add_patch(Rectangle((-edge, -cut), 2 * edge, 2 * cut, facecolor=LIGHT[AXIAL], linewidth=0))
    axes.add_patch(
        Rectangle((-cut, -edge), 2 * cut, 2 * edge, facecolor=LIGHT[SAGITTAL], linewidth=0)
    )
    axes.add_patch(Rectangle((-cut, -cut), 2 * cut, 2 * cut, facecolor=LIGHT[BOTH], linewidth=0))
    axes.text(0.3, 0, "axial\nview", color=AXIAL, ha="center", va="center")
    axes.text(-0.3, 0, "axial\nview", color=AXIAL, ha="center", va="center")
    axes.text(0, 0.3, "sagittal\nview", color=SAGITTAL, ha="center", va="center")
    axes.text(0, -0.3, "sagittal\nview", color=SAGITTAL, ha="center", va="center")
    axes.text(0, 0, "both", color=BOTH, ha="center", va="center")
    for x, y in ((0.3, 0.3), (-0.3, 0.3), (0.3, -0.3), (-0.3, -0.3)):
        box = {"facecolor": LIGHT[NEITHER], "edgecolor": "none", "pad": 1.5}
        axes.text(x, y, "neither", ha="center", va="center", bbox=box)
    axes.set_xlim(-edge, edge)
    axes.set_ylim(-edge, edge)
    ticks = (-0.5, -0.1, 0.1, 0.5)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.spines[:].set_visible(True)
    axes.set_xlabel("frequency along R (cycles/mm)")
    axes.set_ylabel("frequency along S (cycles/mm)", labelpad=0)
    axes.set_title("out of all frequencies of a 1 mm grid", fontsize=9)
    table = pd.read_csv(BENCHMARKS / "spectrum.csv")
    bins = int(table.bin_R.max()) + 1
    for k, (method, title) in enumerate(
        (("tv", "total variation, tuned"), ("INR", "INR, F = 512"))
    ):
        axes = figure.add_axes((0.405 + 0.265 * k, 0.15, 0.24, 0.24 * 10 / 3.9))
        ratio = (table[method] / table.reference).to_numpy().reshape(bins, bins)
        image = axes.imshow(
            ratio.T,
            origin="lower",
            extent=(0, 0.5, 0, 0.5),
            cmap="RdYlBu_r",
            vmin=0,
            vmax=2,
            interpolation="nearest",
        )
        axes.plot([cut, cut, 0.5], [0.5, cut, cut], color=INK, linewidth=1.5)
        axes.set_xticks((0, 0.1, 0.5), ("0", "0.1", "0.5"))
        axes.set_yticks((0, 0.1, 0.5), ("0", "0.1", "0.5") if k == 0 else ("", "", ""))
        axes.spines[:].set_visible(True)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("frequency along R (cycles/mm)")
    bar = figure.colorbar(image, cax=figure.add_axes((0.925, 0.2, 0.012, 0.5)))
    bar.set_ticks((0, 1, 2), labels=("0", "1", "≥ 2"))
    bar.outline.set_visible(False)
    figure.text(0.2, 0.905, "Within reach of two views of 5 mm", ha="center", fontsize=11)
    figure.text(
        0.66,
        0.905,
        "Energy of the error over energy of the image (sub-cervical)",
        ha="center",
        fontsize=11,
    )
    return figure
