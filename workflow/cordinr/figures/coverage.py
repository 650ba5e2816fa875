"""The figure of how many slice directions saw each place of a reconstruction."""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..imaging.planes import cuts
from ..imaging.volume import Volume
from .plane_page import (
    GREY,
    GREY_WINDOW,
    Page,
    draw_cut,
    draw_directions,
    draw_heading,
    draw_row_name,
)

COLUMN_INCHES = 2.6
"""Width of a column in inches."""

TINTS = ("#CC3311", "#EE7733", "#009988", "#0077BB")
"""Colours of places that no, one, two, and three or more directions saw."""

OPACITY = 0.4
"""Opacity of the colours."""


def coverage_figure(image: Volume, directions: np.ndarray, title: str) -> Figure:
    """Draw a sagittal and an axial plane of an image, and the same tinted by the directions.

    Args:
        image: the reconstruction.
        directions: of its shape, how many slice directions saw each voxel.
        title: above the figure.

    Returns:
        Two columns; axes are labelled "column: row".
    """
    most = np.argwhere(directions == directions.max())
    focus = image.grid.world(most.mean(axis=0))
    planes = cuts(image.grid, focus)[::2]
    page = Page.create(planes, 2, title, COLUMN_INCHES, footer=0.35)
    low, high = np.percentile(image.array, GREY_WINDOW)
    seen = Volume(np.minimum(directions, len(TINTS) - 1).astype(np.float32), image.grid)
    for row, cut in enumerate(planes):
        pixels = cut.sample(image, 1)
        for column, name in enumerate(("Reconstruction", "Slice directions")):
            axes = page.axes(row, column, f"{name}: {cut.name}")
            draw_cut(axes, pixels, cut, cmap=GREY, vmin=low, vmax=high)
            if row == 0:
                draw_heading(axes, name, "")
            if column == 0:
                draw_row_name(axes, cut.name)
                draw_directions(axes, cut)
        number = np.ma.masked_invalid(cut.sample(seen, 0))
        style = {"cmap": ListedColormap(TINTS), "vmin": -0.5, "vmax": len(TINTS) - 0.5}
        draw_cut(axes, number, cut, alpha=OPACITY, **style)
    names = ("none", "one", "two", "three or more")
    known = [k for k in range(len(TINTS)) if (seen.array == k).any()]
    handles = [Patch(color=TINTS[k], alpha=0.7, label=names[k]) for k in known]
    page.figure.legend(handles=handles, loc="lower right", ncols=len(known), frameon=False)
    return page.figure
