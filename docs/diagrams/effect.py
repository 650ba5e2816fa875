"""What the slice profile and the Fourier dimension are worth."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from .style import AXIAL, BENCHMARKS, BOTH, FAINT, SAGITTAL, card


def table_in(path: Path, section: str) -> pd.DataFrame:
    """The first Markdown table of a section, by a word of its heading; all cells as text."""
    after = next(part for part in path.read_text().split("\n## ")[1:] if section in part[:80])
    first = after[after.index("\n|") + 1 :].partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in first]
    return pd.DataFrame(cells[2:], columns=cells[0])


def profile_or_dimension() -> Figure:
    """The same reconstructions with and without the slice profile, for several methods."""
    table = table_in(BENCHMARKS / "2026-11-25-method.md", "ONLY=profile")
    protocol = table_in(BENCHMARKS / "2026-11-25-method.md", "ONLY=protocol")
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
