"""Makes the diagrams of docs/method.md: `make docs`, or `python docs/diagrams.py`.

Whatever the library defines is taken from it; measured figures are read from benchmarks/.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.patheffects import withStroke

from cordinr.acquisition import SliceProfile, acquire
from cordinr.files import atomic
from cordinr.lattice import ISOTROPIC_SPACINGS, SLICE_FRACTIONS
from cordinr.phantom import Phantom
from cordinr.scan import sample
from cordinr.settings import FitSettings
from cordinr.volume import Grid, Volume

HERE = Path(__file__).parent
BENCHMARKS = HERE.parent / "benchmarks"
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
    with atomic(HERE / f"{name}.svg") as partial:
        figure.savefig(partial, format="svg", dpi=150, metadata={"Date": None, "Creator": None})


def blank(axes: Axes) -> None:
    """No ticks, no frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def views() -> Figure:
    """A coronal plane: the object, its two views, and one cell of the grid they share."""
    shape, thickness = (40, 40, 40), 5.0
    affine = np.eye(4)
    affine[:3, 3] = -(np.array(shape) - 1) / 2 + (0, 2, 0)
    volume = Volume(sample(Phantom.draw(2, 0), shape, affine, 2), Grid(shape, affine))
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
        "loss: squared difference,\n+ total variation if the\nviews are noisy",
        INK,
    )
    _box(axes, 2.6, 0.65, 3.4, 1.55, "measured voxel\nof the view", INK)
    _arrow(axes, (15.15, 5.35), (15.15, 2.2))
    _arrow(axes, (12.2, 1.42), (11.2, 1.42))
    _arrow(axes, (6.0, 1.42), (7.3, 1.42))
    return figure


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


def table_in(path: Path, section: str) -> pd.DataFrame:
    """The first Markdown table of a section, by a word of its heading; all cells as text."""
    after = next(part for part in path.read_text().split("\n## ")[1:] if section in part[:80])
    first = after[after.index("\n|") + 1 :].partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in first]
    return pd.DataFrame(cells[2:], columns=cells[0])


def profile_or_dimension() -> Figure:
    """The same reconstructions with and without the slice profile, for several methods."""
    table = table_in(BENCHMARKS / "2026-11-23-method.md", "ONLY=profile")
    protocol = table_in(BENCHMARKS / "2026-11-23-method.md", "ONLY=protocol")
    cubic = protocol[protocol.method == "cubic"].set_index("image")["fov"].astype(float)
    figure = card(10, 3.9)
    figure.text(
        0.5,
        0.92,
        "The same views, with their slice profile (box) and without (point)",
        ha="center",
        fontsize=11,
    )
    names = {"tikhonov": "Tikhonov, tuned", "tv": "total variation, tuned"}
    images = list(dict.fromkeys(table.image))
    for k, image in enumerate(images):
        rows = table[table.image == image]
        axes = figure.add_axes((0.2 + 0.41 * k, 0.16, 0.36, 0.64))
        for y, (_, line) in enumerate(rows.iloc[::-1].iterrows()):
            box, point = float(line.box), float(line.point)
            axes.plot([point, box], [y, y], color=FAINT, linewidth=1.5, zorder=1)
            axes.plot(point, y, "o", color="white", markeredgecolor=SAGITTAL, markeredgewidth=1.8)
            axes.plot(box, y, "o", color=AXIAL, markersize=7)
            axes.text(
                (box + point) / 2,
                y + 0.13,
                f"{box - point:+.1f} dB",
                ha="center",
                va="bottom",
                fontsize=8,
            )
        methods = [names.get(method, method) for method in rows.method.iloc[::-1]]
        axes.set_yticks(range(len(rows)), methods if k == 0 else [])
        axes.set_ylim(-0.5, len(rows) - 0.3)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("PSNR over the fov (dB)")
        axes.set_title(image, fontsize=9)
        axes.set_xlim(24.8, 32.4)
        axes.axvline(cubic[image], color=BOTH, linestyle=":", linewidth=1.5, zorder=0)
        axes.text(
            cubic[image] + 0.1,
            len(rows) - 0.45,
            "mean of cubic interpolations",
            color=BOTH,
            fontsize=8,
        )
    figure.text(0.035, 0.16, "○ point", color=SAGITTAL, fontsize=9)
    figure.text(0.035, 0.1, "● box", color=AXIAL, fontsize=9)
    return figure


DIAGRAMS = {
    "method-views": views,
    "method-profile": slice_profiles,
    "method-network": network,
    "method-kspace": k_space,
    "method-effect": profile_or_dimension,
}


def main() -> None:
    """Draw all."""
    with mpl.rc_context(STYLE):
        for name, draw in DIAGRAMS.items():
            save(name, draw())


if __name__ == "__main__":
    main()
