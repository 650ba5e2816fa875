"""What the figures of an image share: a page of planes, grey images, errors, scale bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from ..files import atomic
from ..imaging.grid import Grid
from ..imaging.planes import PlaneCut
from ..imaging.volume import Volume

SCALE_BARS_MM = (10.0, 5.0)
"""Lengths of a scale bar in mm: the first of at most a third of a plane is drawn, or the last."""

ERROR_LIMITS = (1, 2, 5, 10, 15, 20, 30, 50, 100)
"""Ends of the error colour bar to choose from, in percent of R."""

MARGIN_INCHES = 0.24
"""Width of the row names in inches."""

HEADING_INCHES = 0.6
"""Height of title and headings in inches."""

MIN_CELL_RATIO, MAX_CELL_RATIO = 0.52, 1.3
"""Limits of height over width of a cell: flatter planes leave space, taller ones are narrower."""

GREY_WINDOW = (0.5, 99.5)
"""Percentiles of the reference that are drawn black and white."""

GREY = colormaps["gray"].with_extremes(bad="#26323e")
"""Colours of images; pixels outside a volume are blue-grey."""

SIGNED = colormaps["RdBu_r"].with_extremes(bad="0.8")
"""Colours of errors; pixels outside a volume are grey."""

OUTLINE = [withStroke(linewidth=1.5, foreground="black")]
"""Effect that keeps white text and lines readable on any image."""

ON_IMAGE = {"color": "w", "fontsize": 7, "ha": "center", "va": "center", "path_effects": OUTLINE}
"""Style of text on an image."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A column of a figure.

    Attributes:
        name, caption: the two lines of its heading.
        volume: on any grid.
        order: of the spline that interpolates it; 0 shows its voxels as they are.
    """

    name: str
    volume: Volume
    caption: str = ""
    order: int = 0

    def sample(self, cut: PlaneCut) -> np.ndarray:
        """Sample the volume in a cut; (height, width), as `PlaneCut.sample`."""
        return cut.sample(self.volume, self.order)


@dataclass(frozen=True, eq=False)
class Page:
    """A figure whose cells are planes (rows) of volumes (columns).

    Attributes:
        figure: with the title.
        cells: of the grid.
        rows: the cut of each row of cells.
    """

    figure: Figure
    cells: GridSpec
    rows: Sequence[PlaneCut]

    @classmethod
    def create(
        cls, rows: Sequence[PlaneCut], columns: int, title: str, column: float, footer: float = 0.05
    ) -> "Page":
        """Make a page without images; the heights of its cells follow the planes.

        Args:
            rows: the plane of each row of cells.
            columns: their number.
            title: above everything.
            column: width of a column, inches.
            footer: height of the space below the cells, inches.
        """
        ratios = [cut.extent_mm[1] / cut.extent_mm[0] for cut in rows]
        heights = column * np.clip(ratios, MIN_CELL_RATIO, MAX_CELL_RATIO)
        width = MARGIN_INCHES + columns * column
        height = HEADING_INCHES + heights.sum() + footer
        figure = Figure(figsize=(width, height))
        left, top = MARGIN_INCHES / width, 1 - HEADING_INCHES / height
        style = {"fontsize": 10, "weight": "bold", "va": "top", "parse_math": False}
        figure.text(left, 1 - 0.07 / height, _replace_undrawable(title), **style)
        edges = {"left": left, "right": 1, "bottom": footer / height, "top": top}
        shape = {"height_ratios": heights, "hspace": 0.03, "wspace": 0.03}
        return cls(figure, figure.add_gridspec(len(rows), columns, **shape, **edges), rows)

    def axes(self, row: int, column: int, label: str) -> Axes:
        """Add the axes of a cell."""
        return self.figure.add_subplot(self.cells[row, column], label=label)


def draw_planes(
    page: Page, panels: dict[int, Panel], rows: Sequence[int], window: Sequence[float]
) -> None:
    """Draw volumes in grey, a plane and then a zoom on it in turn.

    Args:
        page: axes are labelled "panel name: row name".
        panels: by column.
        rows: which of the page, plane and zoom in turn.
        window: intensities that become black and white.
    """
    for row, (k, panel) in product(rows, panels.items()):
        cut = page.rows[row]
        axes = page.axes(row, k, f"{panel.name}: {cut.name}")
        draw_cut(axes, panel.sample(cut), cut, cmap=GREY, vmin=window[0], vmax=window[1])
        is_zoom = rows.index(row) % 2 == 1
        if row == rows[0]:
            draw_heading(axes, panel.name, panel.caption)
        if k == 0:
            draw_row_name(axes, cut.name)
            draw_directions(axes, cut)
            if not is_zoom:
                _draw_zoom_box(axes, cut, page.rows[row + 1])
        if is_zoom:
            draw_scale_bar(axes, cut)


def draw_cut(axes: Axes, pixels: np.ndarray, cut: PlaneCut, **style: object) -> AxesImage:
    """Draw a cut; the axes are in mm from its middle."""
    axes.set_axis_off()
    x, y = cut.extent_mm / 2
    return axes.imshow(pixels, extent=(-x, x, -y, y), **style)


def draw_heading(axes: Axes, name: str, caption: str) -> None:
    """Draw two lines above a column."""
    axes.set_title(_replace_undrawable(f"{name}\n{caption}"), fontsize=8.5, parse_math=False)


def draw_row_name(axes: Axes, name: str) -> None:
    """Draw the name of a row, left of its cell."""
    cell = axes.get_subplotspec().get_position(axes.figure)
    x, y = cell.x0 - MARGIN_INCHES / 2 / axes.figure.get_figwidth(), (cell.y0 + cell.y1) / 2
    axes.figure.text(x, y, name, rotation=90, fontsize=8, ha="center", va="center")


def draw_directions(axes: Axes, cut: PlaneCut) -> None:
    """Draw the letters of the directions, 7 points from the edges."""
    places = (((0, 0.5), (7, 0)), ((1, 0.5), (-7, 0)), ((0.5, 0), (0, 7)), ((0.5, 1), (0, -7)))
    for letter, (edge, inwards) in zip(cut.letters, places, strict=True):
        at = {"xytext": inwards, "textcoords": "offset points"}
        axes.annotate(letter, edge, xycoords="axes fraction", **at, **ON_IMAGE)


def draw_scale_bar(axes: Axes, cut: PlaneCut) -> None:
    """Draw a bar of a known length in the lower right corner."""
    right, low = cut.extent_mm / 2 * (0.94, -0.9)
    fitting = [mm for mm in SCALE_BARS_MM if 3 * mm <= cut.extent_mm[0]]
    length = fitting[0] if fitting else SCALE_BARS_MM[-1]
    left, text = right - length, f"{length:g} mm"
    axes.plot([left, right], [low, low], "w", linewidth=2, path_effects=OUTLINE)
    at = {"xytext": (0, 7), "textcoords": "offset points"}
    axes.annotate(text, ((left + right) / 2, low), **at, **ON_IMAGE)


def choose_error_limit(errors: np.ndarray) -> int:
    """Choose the end of the error scale, in percent of R, so that 99% of the errors lie within."""
    largest = np.percentile(np.abs(errors), 99)
    return next((end for end in ERROR_LIMITS if end >= largest), ERROR_LIMITS[-1])


def scale_errors(images: Sequence[AxesImage], place: Sequence[float]) -> Axes:
    """Give images of errors, in percent of R, one scale, and draw its colour bar.

    Args:
        images: at least one.
        place: left, bottom, width and height of the bar, as fractions of the figure.

    Returns:
        The axes of the bar.
    """
    limit = choose_error_limit(np.concatenate([image.get_array().compressed() for image in images]))
    for image in images:
        image.set_clim(-limit, limit)
    figure = images[0].axes.figure
    scale = figure.add_axes(place, label="error scale")
    style = {"orientation": "horizontal", "extend": "both", "format": "%g"}
    figure.colorbar(images[0], scale, ticks=np.linspace(-limit, limit, 5), **style)
    scale.set_title("Error (% of R)", fontsize=8)
    scale.tick_params(labelsize=8)
    return scale


def size_text(grid: Grid) -> str:
    """Write the voxel size for people: one number where all three are alike."""
    sizes = [f"{mm:.3g}" for mm in grid.voxel_sizes]
    return f"{sizes[0] if len(set(sizes)) == 1 else ' × '.join(sizes)} mm"


def save_figure(path: Path | str, figure: Figure) -> None:
    """Write a PNG at 150 dpi: whole or not at all, the same bytes for the same figure.

    Raises:
        InputError: the folder cannot be written.
    """
    with atomic(path) as partial:
        figure.savefig(partial, format="png", dpi=150, metadata={"Software": None})


def _replace_undrawable(text: str) -> str:
    """Replace the bytes of a file name that are not UTF-8 and cannot be drawn."""
    return text.encode(errors="replace").decode()


def _draw_zoom_box(axes: Axes, cut: PlaneCut, zoom: PlaneCut) -> None:
    """Draw a dashed box where the zoom lies."""
    corner = np.stack([cut.u, cut.v]) @ (zoom.origin - cut.origin) - zoom.extent_mm / 2
    style = {"fill": False, "edgecolor": "w", "linestyle": "--", "linewidth": 0.8}
    axes.add_patch(Rectangle(corner, *zoom.extent_mm, **style))
