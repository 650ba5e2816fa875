"""The resolution figure of the report: an INR on the grid of the raw image and at finer voxels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from matplotlib.figure import Figure

from ..imaging.body import intensity_range
from ..imaging.planes import cord_focus, cuts
from ..imaging.volume import Volume
from .plane_page import (
    GREY_WINDOW,
    SIGNED,
    Page,
    Panel,
    draw_cut,
    draw_heading,
    draw_planes,
    scale_errors,
    size_text,
)

COLUMN_INCHES = 2.3
"""Width of a column in inches."""

FOOTER_INCHES = 0.75
"""Height of the space for note and colour bar in inches."""

ZOOM_MM = 20.0
"""Edge of the zoom in mm: the cord with its CSF, in voxels large enough to be seen."""


@dataclass(frozen=True, eq=False)
class Rendering:
    """An INR on one grid.

    Attributes:
        volume: the rendering.
        score: its metrics in words, or empty.
        truth: on the same grid, where it is known.
    """

    volume: Volume
    score: str = ""
    truth: Volume | None = None


def resolution_figure(
    reference: Volume, renderings: Sequence[Rendering], cord: np.ndarray | None, title: str
) -> Figure:
    """Draw one INR at all voxel sizes, voxel by voxel, at one place; beside it the truth, if known.

    Args:
        reference: the raw image; sets planes and grey window.
        renderings: the first on the grid of the reference.
        cord: bool mask on that grid; planes and zooms are centred on it.
        title: above the figure.

    Returns:
        Sagittal and axial plane, whole and zoomed on the cord; beside a rendering with a truth the
        truth and their difference. Axes are labelled "column name: row name".
    """
    focus = cord_focus(reference.grid, cord)
    planes = cuts(reference.grid, focus, ZOOM_MM)
    window = np.percentile(reference.array, GREY_WINDOW)
    panels, errors = _arrange_columns(reference, renderings)
    columns = len(panels) + len(errors)
    page = Page.create(planes, columns, title, COLUMN_INCHES, FOOTER_INCHES)
    draw_planes(page, panels, range(len(planes)), window)
    centre = "cord" if cord is not None and cord.any() else "middle of the field of view"
    note = (
        f"Planes through the {centre}; voxels as they are; "
        f"one grey window: {window[0]:.4g} to {window[1]:.4g}"
    )
    if errors:
        peak = _draw_errors(page, errors)
        note += f"\nError: rendering - truth; R = {peak:.4g}, 99.9th percentile of the truth"
    cell = page.cells[-1, 0].get_position(page.figure)
    style = {"fontsize": 7.5, "linespacing": 1.6, "va": "center"}
    middle = 0.5 * FOOTER_INCHES / page.figure.get_figheight()
    page.figure.text(cell.x0, middle, note.replace("-", "\N{MINUS SIGN}"), **style)
    return page.figure


def _arrange_columns(
    reference: Volume, renderings: Sequence[Rendering]
) -> tuple[dict[int, Panel], dict[int, Rendering]]:
    """Assign the columns: to images in grey, and to errors of renderings."""
    panels = {0: Panel("Reference", reference, size_text(reference.grid))}
    errors: dict[int, Rendering] = {}
    for rendering in renderings:
        size = size_text(rendering.volume.grid)
        name = f"INR, {size}"
        panels[len(panels) + len(errors)] = Panel(name, rendering.volume, rendering.score)
        if rendering.truth:
            panels[len(panels) + len(errors)] = Panel(f"Truth, {size}", rendering.truth)
            errors[len(panels) + len(errors)] = rendering
    return panels, errors


def _draw_errors(page: Page, errors: dict[int, Rendering]) -> float:
    """Draw renderings minus truths in percent of R, and their scale below; returns R."""
    images = []
    truths = {k: rendering.truth for k, rendering in errors.items() if rendering.truth}
    peak = max(intensity_range(truth.array) for truth in truths.values())
    for (k, rendering), (row, cut) in product(errors.items(), enumerate(page.rows)):
        name = f"Error, {size_text(rendering.volume.grid)}"
        axes = page.axes(row, k, f"{name}: {cut.name}")
        error = cut.sample(rendering.volume, 0) - cut.sample(truths[k], 0)
        images.append(draw_cut(axes, 100 / peak * error, cut, cmap=SIGNED))
        if row == 0:
            draw_heading(axes, name, "")
    cell = page.cells[-1, max(errors)].get_position(page.figure)
    inch = 1 / page.figure.get_figheight()
    bar = (cell.x0 + 0.1 * cell.width, 0.28 * inch, 0.8 * cell.width, 0.11 * inch)
    scale_errors(images, bar)
    return peak
