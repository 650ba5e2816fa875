"""A chart of loss curves in the units of its picture, for a template to draw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

WIDTH, HEIGHT = 520.0, 190.0
"""Of the area that the curves fill."""

HUES = (215, 25)
"""Degrees, of the first and the last curve: blue and orange show on black and on white."""


@dataclass(frozen=True)
class Curve:
    """The loss of a fit.

    Attributes:
        name: of the fit.
        href: of the record that it comes from.
        steps, losses: of each point.
    """

    name: str
    href: str
    steps: Sequence[int]
    losses: Sequence[float]


@dataclass(frozen=True)
class Line:
    """A curve as it is drawn: name and href, corners as SVG points, CSS colour."""

    name: str
    href: str
    points: str
    colour: str


@dataclass(frozen=True)
class Chart:
    """Curves over steps, loss on a logarithmic axis.

    Attributes:
        lines: the curves.
        x_ticks, y_ticks: where a label stands, from the left and from the top, and the label.
        text: the same in words.
    """

    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    text: str


def loss_chart(curves: Sequence[Curve]) -> Chart | None:
    """The chart of the curves that have points; None where there are none."""
    curves = [curve for curve in map(_drawable, curves) if curve.steps]
    if not curves:
        return None
    end = max(curve.steps[-1] for curve in curves)
    every = [loss for curve in curves for loss in curve.losses]
    ticks = log_ticks(min(every), max(every))
    low, high = math.log(ticks[0]), math.log(ticks[-1])

    def across(step: float) -> float:
        return round(WIDTH * step / end, 1)

    def down(loss: float) -> float:
        return round(HEIGHT * (high - math.log(loss)) / (high - low), 1)

    lines = []
    for k, curve in enumerate(curves):
        points = zip(map(across, curve.steps), map(down, curve.losses), strict=True)
        hue = HUES[0] + (HUES[1] - HUES[0]) * k / max(1, len(curves) - 1)
        corners = " ".join(f"{x:g},{y:g}" for x, y in points)
        lines.append(Line(curve.name, curve.href, corners, f"hsl({hue:.0f} 75% 52%)"))
    text = "; ".join(
        f"{each.name}: {each.losses[0]:.2g} to {each.losses[-1]:.2g}" for each in curves
    )
    return Chart(
        lines,
        [(across(step), f"{step:g}") for step in step_ticks(end)],
        [(down(loss), f"{loss:g}".replace("e-0", "e-")) for loss in ticks],
        text,
    )


def _drawable(curve: Curve) -> Curve:
    """Without what a logarithmic axis has no place for: a flat image is fitted without a loss."""
    points = zip(curve.steps, curve.losses, strict=True)
    kept = [(step, loss) for step, loss in points if 0 < loss < math.inf]
    return replace(curve, steps=[step for step, _ in kept], losses=[loss for _, loss in kept])


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers, the first at or below `low`, the last at or above `high`: 1, 2, 5, 10 ...

    Powers of ten alone where they are at least three steps apart.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if last - first > 3:
        return [float(f"1e{power}") for power in range(first, last + 1)]
    fine = [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in (1, 2, 5)]
    start = max(k for k, tick in enumerate(fine) if tick <= low)
    stop = min(k for k, tick in enumerate(fine) if tick >= high)
    return fine[start : max(stop, start + 1) + 1]


def step_ticks(end: int) -> list[int]:
    """0 and multiples of a round number, up to `end`."""
    power = 10 ** math.floor(math.log10(end))
    gap = next(each for each in (power // 5, power // 2, power) if each and end / each < 10)
    return list(range(0, end + 1, gap))
