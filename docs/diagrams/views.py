"""An object, its two views, and a cell of the voxel grid that they share."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.patheffects import withStroke

from cordinr.acquisition.profile import SliceProfile
from cordinr.acquisition.simulate import acquire
from cordinr.imaging.grid import Grid
from cordinr.imaging.volume import Volume
from cordinr.phantom.anatomy import Phantom
from cordinr.phantom.scan import sample

from .style import AXIAL, INK, SAGITTAL, blank, card


def views() -> Figure:
    """A coronal plane: the object, its two views, and one cell of the grid they share."""
    shape, thickness = (40, 40, 40), 5.0
    affine = np.eye(4)
    affine[:3, 3] = -(np.array(shape) - 1) / 2 + (0, 2, 0)
    grid = Grid(shape, affine)
    volume = Volume(sample(Phantom.draw(2, 0), grid, 2), grid)
    profile = SliceProfile("box", thickness)
    axial, sagittal = (acquire(volume, axis, profile, thickness) for axis in (2, 0))
    figure = card(10, 3.45)
    middle = shape[1] // 2
    panels = (
        ("the object, 1 mm", volume, INK, "what we want"),
        ("axial view: slices of 5 mm\nstacked along S", axial.volume, AXIAL, "sharp along R and A"),
        (
            "sagittal view: slices of 5 mm\nstacked along R",
            sagittal.volume,
            SAGITTAL,
            "sharp along A and S",
        ),
    )
    for k, (title, shown, colour, note) in enumerate(panels):
        axes = figure.add_axes((0.035 + 0.225 * k, 0.125, 0.205, 0.62))
        plane = shown.array[:, middle].T
        axes.imshow(
            plane,
            cmap="gray",
            vmin=0,
            vmax=1050,
            origin="lower",
            extent=(0, 40, 0, 40),
            interpolation="nearest",
        )
        axes.set_title(title, fontsize=9, color=colour)
        axes.set_xlabel(note, fontsize=9, color=colour)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(True)
        axes.spines[:].set_color(colour)
        axes.spines[:].set_linewidth(1.5)
        if k == 0:
            for start, end, letter, at in (
                ((2, 2), (12, 2), "R", (14, 2.2)),
                ((2, 2), (2, 12), "S", (2.2, 14.5)),
            ):
                style = {"arrowstyle": "-|>", "mutation_scale": 9, "color": "w", "shrinkA": 0}
                axes.add_patch(FancyArrowPatch(start, end, **style))
                stroke = [withStroke(linewidth=2, foreground="black")]
                axes.text(*at, letter, color="w", ha="center", va="center", path_effects=stroke)
    axes = figure.add_axes((0.73, 0.125, 0.235, 0.62))
    blank(axes)
    axes.set_aspect("equal")
    axes.set_xlim(-0.2, 7.2)
    axes.set_ylim(-0.7, 5.7)
    for k in range(5):
        axes.add_patch(Rectangle((k, 0), 1, 5, facecolor="none", edgecolor=AXIAL, linewidth=1))
        axes.add_patch(Rectangle((0, k), 5, 1, facecolor="none", edgecolor=SAGITTAL, linewidth=1))
    axes.add_patch(Rectangle((3, 0), 1, 5, facecolor=AXIAL, alpha=0.25, linewidth=0))
    axes.add_patch(Rectangle((0, 1), 5, 1, facecolor=SAGITTAL, alpha=0.25, linewidth=0))
    for frame, colour in (((3, 0, 1, 5), AXIAL), ((0, 1, 5, 1), SAGITTAL)):
        axes.add_patch(
            Rectangle(frame[:2], *frame[2:], facecolor="none", edgecolor=colour, linewidth=2.5)
        )
    points = np.arange(5) + 0.5
    axes.plot(*map(np.ravel, np.meshgrid(points, points)), ".", color=INK, markersize=4)
    axes.set_title("one cell of the grid they share:\n25 points, 5 + 5 voxels", fontsize=9)
    axes.text(3.5, -0.15, "an axial voxel", color=AXIAL, ha="center", va="top", fontsize=8.5)
    axes.text(5.2, 1.5, "a sagittal\nvoxel", color=SAGITTAL, ha="left", va="center", fontsize=8.5)
    figure.text(
        0.5,
        0.915,
        "Two views of one object, in a coronal plane (R to the right, S up)",
        ha="center",
        fontsize=11,
    )
    return figure
