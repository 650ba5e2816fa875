"""The comparison figure of the report: a subject's images and their errors side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from scipy.ndimage import map_coordinates

from .files import atomic
from .metrics import intensity_range
from .volume import Grid, Volume

RIGHT, ANTERIOR, SUPERIOR = np.eye(3)
ZOOM_MM = 30.0
SCALE_BAR_MM = 10.0
PIXELS = 360
"""Samples along the longer side of a plane: a little finer than the page."""

ERROR_LIMITS = (1, 2, 5, 10, 15, 20, 30, 50, 100)
"""Ends of the error colour bar to choose from, percent of R."""

COLUMN, MARGIN, HEADING = 1.65, 0.24, 0.6
"""Inches: width of a column, of the row names; height of title and headings."""

FLATTEST, TALLEST = 0.52, 1.3
"""Height over width of the cells; flatter planes leave space, taller ones become narrower."""

GREY_WINDOW = (0.5, 99.5)
"""Percentiles of the reference that become black and white."""

GREY = colormaps["gray"].with_extremes(bad="#26323e")
SIGNED = colormaps["RdBu_r"].with_extremes(bad="0.8")
OUTLINE = [withStroke(linewidth=1.5, foreground="black")]
ON_IMAGE = {"color": "w", "fontsize": 7, "ha": "center", "va": "center", "path_effects": OUTLINE}


@dataclass(frozen=True, eq=False)
class Panel:
    """A column of the comparison figure.

    Attributes:
        name, caption: the two lines of its heading.
        volume: on any grid; a view keeps its own thick voxels.
        is_reconstruction: whether to show its error; otherwise it is drawn voxel by voxel.
    """

    name: str
    volume: Volume
    caption: str
    is_reconstruction: bool


@dataclass(frozen=True, eq=False)
class Cut:
    """A rectangle in world space: a row of the comparison figure.

    Attributes:
        name: of the row.
        origin: (3,) mm, its middle.
        u, v: (3,) unit vectors, to the right and to the top of the picture.
        extent_mm: (2,) width and height.
        letters: directions at its left, right, bottom and top edge.
    """

    name: str
    origin: np.ndarray
    u: np.ndarray
    v: np.ndarray
    extent_mm: np.ndarray
    letters: str

    def sample(self, panel: Panel) -> np.ndarray:
        """The panel's volume in this cut, as `plane`."""
        step_mm = self.extent_mm.max() / PIXELS
        order = 1 if panel.is_reconstruction else 0
        return plane(panel.volume, self.origin, self.u, self.v, self.extent_mm, step_mm, order)


def plane(
    volume: Volume,
    origin: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    extent_mm: Sequence[float],
    step_mm: float,
    order: int,
) -> np.ndarray:
    """A plane of a volume, sampled in world space.

    Args:
        volume: any grid, oblique or not.
        origin: (3,) world mm of the middle of the plane.
        u, v: (3,) unit vectors, to the right and to the top of the picture.
        extent_mm: width and height.
        step_mm: distance between samples, adjusted to fill the extent exactly.
        order: of the spline; 0 shows the voxels as they are.

    Returns:
        (height, width) float64, first row on top; NaN outside the field of view.
    """
    columns, rows = (max(1, round(length / step_mm)) for length in extent_mm)
    x = ((np.arange(columns) + 0.5) / columns - 0.5) * extent_mm[0]
    y = (0.5 - (np.arange(rows) + 0.5) / rows) * extent_mm[1]
    index = volume.grid.index(origin + x[:, None] * u + y[:, None, None] * v)
    inside = ((index >= -0.5) & (index <= np.array(volume.grid.shape) - 0.5)).all(axis=-1)
    at = np.moveaxis(index, -1, 0)
    values = map_coordinates(volume.array, at, output=float, order=order, mode="nearest")
    return np.where(inside, values, np.nan)


def cord_focus(grid: Grid, cord: np.ndarray | None) -> np.ndarray:
    """(3,) world mm of the middle of the cord at the height of its centre of mass.

    A curved cord does not contain its centre of mass, hence the second step. Without a mask (bool,
    shape `grid.shape`) it is the middle of the field of view.
    """
    if cord is None or not cord.any():
        return grid.centre
    inside = grid.world(np.argwhere(cord))
    distance = np.abs((inside - inside.mean(axis=0)) @ SUPERIOR)
    return inside[distance <= distance.min() + grid.voxel_sizes.max()].mean(axis=0)


def cuts(grid: Grid, focus: np.ndarray) -> list[Cut]:
    """Sagittal and axial plane through `focus` (3,) mm, each whole, then as a zoom on it.

    Sagittal: superior up, anterior to the left. Axial: anterior up, the patient's right on the left
    (radiological). Both are planes of the world, whatever the axes of the grid.
    """
    result = []
    axes = (("Sagittal", -ANTERIOR, SUPERIOR, "APIS"), ("Axial", -RIGHT, ANTERIOR, "RLPA"))
    for name, u, v, letters in axes:
        low, high = _reach(grid, focus, u, v)
        size = np.minimum(ZOOM_MM, high - low)
        shift = np.clip(0, low + size / 2, high - size / 2)
        origins = focus + np.stack([(low + high) / 2, shift]) @ np.stack([u, v])
        result.append(Cut(name, origins[0], u, v, high - low, letters))
        result.append(Cut(f"{name}, zoom", origins[1], u, v, size, letters))
    return result


def error_limit(errors: np.ndarray) -> int:
    """The end of the error scale for errors in percent of R: few of them lie beyond it."""
    wanted = np.percentile(np.abs(errors), 99)
    return next((end for end in ERROR_LIMITS if end >= wanted), ERROR_LIMITS[-1])


def comparison_figure(
    reference: Volume, panels: Sequence[Panel], cord: np.ndarray | None, title: str
) -> Figure:
    """One subject: reference, views and reconstructions in columns, planes and errors in rows.

    Args:
        reference: sets planes, grey window and R, its 99.9th percentile.
        panels: the other columns, in order.
        cord: bool mask on the grid of the reference; planes and zooms are centred on it.
        title: above the figure.

    Returns:
        Sagittal and axial plane, whole and zoomed on the cord; below the reconstructions their
        signed error (sagittal, axial zoom). Axes are labelled "column name: row name".
    """
    focus = cord_focus(reference.grid, cord)
    planes = dict(enumerate(cuts(reference.grid, focus)))
    window = np.percentile(reference.array, GREY_WINDOW)
    columns = [Panel("Reference", reference, "", True), *panels]
    judged = (planes[0], planes[3]) if any(p.is_reconstruction for p in panels) else ()
    errors = dict(enumerate(judged, len(planes)))
    figure, cells = _page(len(columns), [*planes.values(), *errors.values()], title)
    for (row, cut), (k, panel) in product(planes.items(), enumerate(columns)):
        axes = figure.add_subplot(cells[row, k], label=f"{panel.name}: {cut.name}")
        _show(axes, cut.sample(panel), cut, cmap=GREY, vmin=window[0], vmax=window[1])
        is_zoom = row % 2 == 1
        if row == 0:
            heading = _plain(f"{panel.name}\n{panel.caption}")
            axes.set_title(heading, fontsize=8.5, parse_math=False)
        if k == 0:
            _name_row(axes, cut.name)
            _orient(axes, cut)
        if k == 0 and not is_zoom:
            _outline(axes, cut, planes[row + 1])
        if is_zoom:
            _scale_bar(axes, cut)
    if errors:
        peak = intensity_range(reference.array)
        scale = _error_rows(figure, cells, columns, errors, peak)
        through = "cord" if cord is not None and cord.any() else "middle"
        note = (
            "Reconstruction - reference\n"
            f"R = {peak:.4g}: 99.9th percentile\nGrey: {window[0]:.4g} to {window[1]:.4g}\n"
            f"Planes through the {through}:\nx = {focus[0]:.1f} mm\nz = {focus[2]:.1f} mm"
        ).replace("-", "\u2212")
        style = {"fontsize": 7.5, "linespacing": 1.6, "va": "top"}
        scale.text(0, -3.2, note, transform=scale.transAxes, **style)
    return figure


def save_figure(path: Path | str, figure: Figure) -> None:
    """Write a PNG at 150 dpi: whole or not at all, the same bytes for the same figure.

    Raises:
        InputError: the folder cannot be written.
    """
    with atomic(path) as partial:
        figure.savefig(partial, format="png", dpi=150, metadata={"Software": None})


def _reach(grid: Grid, origin: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Where the field of view lies in a plane: (2, 2), lowest then highest mm along u and v.

    The cut of a box is spanned by the points where its edges and diagonals cross the plane.
    """
    corners = grid.corners - origin
    height = corners @ np.cross(u, v)
    below, above = np.nonzero((height[:, None] <= 0) & (height > 0))
    part = (height[below] / (height[below] - height[above]))[:, None]
    crossing = (1 - part) * corners[below] + part * corners[above]
    flat = crossing @ np.stack([u, v]).T
    return np.stack([flat.min(axis=0), flat.max(axis=0)])


def _page(columns: int, rows: Sequence[Cut], title: str) -> tuple[Figure, GridSpec]:
    """A titled page and its cells, whose heights follow the planes."""
    ratios = [cut.extent_mm[1] / cut.extent_mm[0] for cut in rows]
    heights = COLUMN * np.clip(ratios, FLATTEST, TALLEST)
    width, height = MARGIN + columns * COLUMN, HEADING + heights.sum() + 0.05
    figure = Figure(figsize=(width, height))
    left, top = MARGIN / width, 1 - HEADING / height
    style = {"fontsize": 10, "weight": "bold", "va": "top", "parse_math": False}
    figure.text(left, 1 - 0.07 / height, _plain(title), **style)
    edges = {"left": left, "right": 1, "bottom": 0.05 / height, "top": top}
    shape = {"height_ratios": heights, "hspace": 0.03, "wspace": 0.03}
    return figure, figure.add_gridspec(len(rows), columns, **shape, **edges)


def _plain(text: str) -> str:
    """Without bytes of a file name that are no UTF-8, which cannot be drawn."""
    return text.encode(errors="replace").decode()


def _show(axes: Axes, pixels: np.ndarray, cut: Cut, **style: object) -> None:
    """Draw a cut; the axes are in mm from its middle."""
    axes.set_axis_off()
    x, y = cut.extent_mm / 2
    axes.imshow(pixels, extent=(-x, x, -y, y), **style)


def _name_row(axes: Axes, name: str) -> None:
    cell = axes.get_subplotspec().get_position(axes.figure)
    x, y = cell.x0 - MARGIN / 2 / axes.figure.get_figwidth(), (cell.y0 + cell.y1) / 2
    axes.figure.text(x, y, name, rotation=90, fontsize=8, ha="center", va="center")


def _orient(axes: Axes, cut: Cut) -> None:
    """Letters of the directions, 7 points from the edges."""
    places = (((0, 0.5), (7, 0)), ((1, 0.5), (-7, 0)), ((0.5, 0), (0, 7)), ((0.5, 1), (0, -7)))
    for letter, (edge, inwards) in zip(cut.letters, places, strict=True):
        at = {"xytext": inwards, "textcoords": "offset points"}
        axes.annotate(letter, edge, xycoords="axes fraction", **at, **ON_IMAGE)


def _outline(axes: Axes, cut: Cut, zoom: Cut) -> None:
    """A dashed box where the zoom lies."""
    corner = np.stack([cut.u, cut.v]) @ (zoom.origin - cut.origin) - zoom.extent_mm / 2
    style = {"fill": False, "edgecolor": "w", "linestyle": "--", "linewidth": 0.8}
    axes.add_patch(Rectangle(corner, *zoom.extent_mm, **style))


def _scale_bar(axes: Axes, cut: Cut) -> None:
    right, low = cut.extent_mm / 2 * (0.94, -0.9)
    left, text = right - SCALE_BAR_MM, f"{SCALE_BAR_MM:g} mm"
    axes.plot([left, right], [low, low], "w", linewidth=2, path_effects=OUTLINE)
    at = {"xytext": (0, 7), "textcoords": "offset points"}
    axes.annotate(text, ((left + right) / 2, low), **at, **ON_IMAGE)


def _error_rows(
    figure: Figure, cells: GridSpec, columns: Sequence[Panel], rows: dict[int, Cut], peak: float
) -> Axes:
    """Reconstruction minus reference in percent of R; its scale, in the free cells beside."""
    images = []
    shown = [k for k, panel in enumerate(columns) if panel.is_reconstruction and k]
    for (row, cut), k in product(rows.items(), shown):
        error = 100 * (cut.sample(columns[k]) - cut.sample(columns[0])) / peak
        axes = figure.add_subplot(cells[row, k], label=f"{columns[k].name}: error, {cut.name}")
        _show(axes, error, cut, cmap=SIGNED)
        images += axes.images
        if k == shown[0]:
            _name_row(axes, f"Error, {cut.name.lower()}")
    limit = error_limit(np.concatenate([image.get_array().compressed() for image in images]))
    for image in images:
        image.set_clim(-limit, limit)
    box = cells[min(rows) :, : shown[0]].get_position(figure)
    inch = 1 / figure.get_figheight()
    middle = (box.y0 + box.y1) / 2 + 0.4 * inch
    place = (box.x0, middle, 0.8 * box.width, 0.11 * inch)
    scale = figure.add_axes(place, label="error scale")
    style = {"orientation": "horizontal", "extend": "both", "format": "%g"}
    figure.colorbar(images[0], scale, ticks=np.linspace(-limit, limit, 5), **style)
    scale.set_title("Error (% of R)", fontsize=8)
    scale.tick_params(labelsize=8)
    return scale
