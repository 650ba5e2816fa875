"""The comparison figure of the report: a subject's images and their errors side by side."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
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
    draw_planes,
    draw_row_name,
    scale_errors,
)

COLUMN_INCHES = 1.65
"""Width of a column in inches."""


def comparison_figure(
    reference: Volume,
    views: Sequence[Panel],
    recons: Sequence[Panel],
    cord: np.ndarray | None,
    title: str,
) -> Figure:
    """Draw reference, views and reconstructions in columns, planes and errors in rows.

    Args:
        reference: sets planes, grey window and R, its 99.9th percentile.
        views: columns after the reference.
        recons: columns after the views, with their errors below.
        cord: bool mask on the grid of the reference; planes and zooms are centred on it.
        title: above the figure.

    Returns:
        Sagittal and axial plane, whole and zoomed on the cord; below the reconstructions their
        signed error (sagittal, axial zoom). Axes are labelled "column name: row name".
    """
    focus = cord_focus(reference.grid, cord)
    planes = cuts(reference.grid, focus)
    window = np.percentile(reference.array, GREY_WINDOW)
    columns = [Panel("Reference", reference, "", 1), *views, *recons]
    error_planes = [planes[0], planes[3]] if recons else []
    page = Page.create([*planes, *error_planes], len(columns), title, COLUMN_INCHES)
    draw_planes(page, dict(enumerate(columns)), range(len(planes)), window)
    if recons:
        peak = intensity_range(reference.array)
        scale = _draw_errors(page, columns, range(1 + len(views), len(columns)), peak)
        centre = "cord" if cord is not None and cord.any() else "middle"
        note = (
            "Reconstruction - reference\n"
            f"R = {peak:.4g}: 99.9th percentile\nGrey: {window[0]:.4g} to {window[1]:.4g}\n"
            f"Planes through the {centre}:\nx = {focus[0]:z.1f} mm\nz = {focus[2]:z.1f} mm"
        ).replace("-", "\u2212")
        style = {"fontsize": 7.5, "linespacing": 1.6, "va": "top"}
        scale.text(0, -3.2, note, transform=scale.transAxes, **style)
    return page.figure


def _draw_errors(page: Page, columns: Sequence[Panel], recons: range, peak: float) -> Axes:
    """Draw reconstructions minus reference in percent of R, and their scale in the free cells."""
    rows, images = range(len(page.rows) - 2, len(page.rows)), []
    for row, k in product(rows, recons):
        cut = page.rows[row]
        error = 100 * (columns[k].sample(cut) - columns[0].sample(cut)) / peak
        axes = page.axes(row, k, f"{columns[k].name}: error, {cut.name}")
        images.append(draw_cut(axes, error, cut, cmap=SIGNED))
        if k == recons[0]:
            draw_row_name(axes, f"Error, {cut.name.lower()}")
    box = page.cells[rows[0] :, : recons[0]].get_position(page.figure)
    inch = 1 / page.figure.get_figheight()
    middle = (box.y0 + box.y1) / 2 + 0.4 * inch
    return scale_errors(images, (box.x0, middle, 0.8 * box.width, 0.11 * inch))
