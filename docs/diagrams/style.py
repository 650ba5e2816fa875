"""What all diagrams share: colours, the card they are drawn on, and their file.

Whatever the library defines is taken from it; measured numbers are read from benchmarks/.
"""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from cordinr.files import atomic

DOCS = Path(__file__).parents[1]
BENCHMARKS = DOCS.parent / "benchmarks"
AXIAL, SAGITTAL, BOTH, NEITHER = "#0072B2", "#D55E00", "#009E73", "#B8BCC2"
INK, FAINT = "#1f2328", "#8a9099"
LIGHT = {AXIAL: "#d6e8f4", SAGITTAL: "#fae3d3", BOTH: "#d3ece4", NEITHER: "#eef0f2"}

STYLE = {
    "svg.fonttype": "path",
    "svg.hashsalt": "cordinr",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def card(width: float, height: float) -> Figure:
    """A figure on a white card, so that it reads on a dark page too."""
    figure = Figure(figsize=(width, height), facecolor="none")
    figure.add_artist(
        FancyBboxPatch(
            (0.012 * height / width, 0.012),
            1 - 0.024 * height / width,
            0.976,
            boxstyle="round,pad=0,rounding_size=0.012",
            mutation_aspect=width / height,
            transform=figure.transFigure,
            facecolor="white",
            edgecolor="#d0d7de",
            zorder=-10,
        )
    )
    return figure


def save(name: str, figure: Figure) -> None:
    """Write docs/NAME.svg, the same bytes for the same figure."""
    with atomic(DOCS / f"{name}.svg") as partial:
        figure.savefig(partial, format="svg", dpi=150, metadata={"Date": None, "Creator": None})


def blank(axes: Axes) -> None:
    """No ticks, no frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
