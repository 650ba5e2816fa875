"""The slice profiles and what they let pass."""

import numpy as np
from matplotlib.figure import Figure

from cordinr.acquisition.profile import SliceProfile
from cordinr.inr.settings import FitSettings

from .style import AXIAL, BOTH, LIGHT, SAGITTAL, card


def slice_profiles() -> Figure:
    """The three profiles with their sample points, and what each lets pass."""
    thickness, n = 4.0, FitSettings().profile_points
    figure = card(10, 3.9)
    figure.text(
        0.5,
        0.92,
        f"Slice profiles of {thickness:g} mm, and what of each frequency they let pass",
        ha="center",
        fontsize=11,
    )
    axes = figure.add_axes((0.075, 0.16, 0.4, 0.66))
    distance = np.linspace(-6, 6, 1201)
    step = distance[1] - distance[0]
    for shape, colour in (("box", AXIAL), ("gaussian", SAGITTAL)):
        profile = SliceProfile(shape, thickness)
        density = profile.voxel_weights(distance, step) / step
        count = max(1, int(np.ceil(n * profile.extent / thickness)))
        offsets, weights = profile.samples(count)
        axes.plot(distance, density, color=colour, linewidth=2)
        apart = offsets[1] - offsets[0]
        axes.vlines(offsets, 0, weights / apart, color=colour, linewidth=1, alpha=0.6)
        axes.plot(offsets, weights / apart, "o", color=colour, markersize=5)
    axes.vlines(0, 0, 0.33, color=BOTH, linewidth=2)
    axes.plot(0, 0.33, "^", color=BOTH, markersize=7)
    axes.text(0.25, 0.325, "point: one sample", color=BOTH, va="center")
    axes.text(2.15, 0.235, "box: 5 samples,\none per 0.8 mm", color=AXIAL, va="center")
    axes.text(2.75, 0.12, "gaussian: 13 samples,\nFWHM = thickness", color=SAGITTAL, va="center")
    axes.set_xlim(-6, 6.6)
    axes.set_ylim(0, 0.36)
    axes.set_xlabel("distance from the slice centre (mm)")
    axes.set_ylabel("p (1/mm)")
    axes = figure.add_axes((0.56, 0.16, 0.4, 0.66))
    cycles = np.linspace(0, 0.625, 400)
    axes.axvspan(0, 1 / (2 * thickness), color=LIGHT[BOTH], linewidth=0)
    width = thickness / (2 * np.sqrt(2 * np.log(2)))
    axes.plot(cycles, np.abs(np.sinc(cycles * thickness)), color=AXIAL, linewidth=2)
    axes.plot(cycles, np.exp(-2 * (np.pi * cycles * width) ** 2), color=SAGITTAL, linewidth=2)
    axes.plot(cycles, np.ones_like(cycles), color=BOTH, linewidth=2)
    axes.text(0.6, 0.955, "point: lets all pass, as aliases", color=BOTH, ha="right", va="top")
    axes.text(0.36, 0.24, "box: |sinc(f T)|", color=AXIAL, va="bottom", ha="center")
    axes.annotate(
        "gaussian",
        (0.185, np.exp(-2 * (np.pi * 0.185 * width) ** 2)),
        (0.24, 0.42),
        color=SAGITTAL,
        arrowprops={"arrowstyle": "-", "color": SAGITTAL},
    )
    axes.text(0.0625, 0.06, "within\nreach", ha="center", va="bottom", color=BOTH, fontsize=8.5)
    axes.set_xticks(
        [0, 0.125, 0.25, 0.375, 0.5, 0.625], ["0", "1/(2T)", "1/T", "3/(2T)", "2/T", "5/(2T)"]
    )
    axes.set_xlim(0, 0.625)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("spatial frequency f along the slice normal, T = thickness = spacing")
    axes.set_ylabel("|P(f)|")
    return figure
