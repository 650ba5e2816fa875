"""A chart of loss curves in the units of its picture, for a template to draw.

Not drawn by matplotlib: its SVG cannot follow the colours of the page, light or dark, as the page's
policy forbids style attributes, and it takes 70 times as long and 4 times the bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

WIDTH, HEIGHT = 520.0, 190.0
"""Size of the area that the curves fill, in units of the picture."""

HUES = (215, 25)
"""Hues in degrees of the first and the last curve: blue and orange show on black and on white."""


@dataclass(frozen=True)
class Curve:
    """The loss of a fit.

    Attributes:
        name: of the fit.
        href: link to the record that it comes from.
        steps, losses: of each point.
    """

    name: str
    href: str
    steps: Sequence[int]
    losses: Sequence[float]


@dataclass(frozen=True)
class Line:
    """A curve as it is drawn.

    Attributes:
        name, href: of the curve.
        points: its corners, as SVG has them.
        colour: of CSS.
    """

    name: str
    href: str
    points: str
    colour: str


@dataclass(frozen=True)
class Chart:
    """Curves over steps, with the loss on a logarithmic axis.

    Attributes:
        lines: the curves.
        x_ticks: position from the left, and label.
        y_ticks: position from the top, and label.
        text: the same in words.
    """

    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    text: str


def draw_losses(curves: Sequence[Curve]) -> Chart | None:
    """Draw the curves that have points; None where there are none.

    Args:
        curves: in the order of their colours.
    """
    curves = [curve for curve in map(_keep_positive, curves) if curve.steps]
    if not curves:
        return None
    last_step = max(curve.steps[-1] for curve in curves)
    losses = [loss for curve in curves for loss in curve.losses]
    ticks = choose_loss_ticks(min(losses), max(losses))
    low, high = math.log(ticks[0]), math.log(ticks[-1])

    def x(step: float) -> float:
        return round(WIDTH * step / last_step, 1)

    def y(loss: float) -> float:
        return round(HEIGHT * (high - math.log(loss)) / (high - low), 1)

    lines = []
    for k, curve in enumerate(curves):
        points = zip(map(x, curve.steps), map(y, curve.losses), strict=True)
        hue = HUES[0] + (HUES[1] - HUES[0]) * k / max(1, len(curves) - 1)
        corners = " ".join(f"{right:g},{down:g}" for right, down in points)
        lines.append(Line(curve.name, curve.href, corners, f"hsl({hue:.0f} 75% 52%)"))
    text = "; ".join(
        f"{curve.name}: {curve.losses[0]:.2g} to {curve.losses[-1]:.2g}" for curve in curves
    )
    return Chart(
        lines,
        [(x(step), f"{step:g}") for step in choose_step_ticks(last_step)],
        [(y(loss), f"{loss:g}".replace("e-0", "e-")) for loss in ticks],
        text,
    )


def _keep_positive(curve: Curve) -> Curve:
    """Drop the points that a logarithmic axis cannot show: the loss of a flat image is 0."""
    points = zip(curve.steps, curve.losses, strict=True)
    positive = [(step, loss) for step, loss in points if 0 < loss < math.inf]
    return replace(
        curve, steps=[step for step, _ in positive], losses=[loss for _, loss in positive]
    )


def choose_loss_ticks(low: float, high: float) -> list[float]:
    """Choose round numbers, the first at or below `low`, the last at or above `high`.

    They are 1, 2, 5, 10 and so on, or powers of ten alone over more than three of them.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if last - first > 3:
        return [float(f"1e{power}") for power in range(first, last + 1)]
    ticks = [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in (1, 2, 5)]
    start = max(k for k, tick in enumerate(ticks) if tick <= low)
    stop = min(k for k, tick in enumerate(ticks) if tick >= high)
    return ticks[start : max(stop, start + 1) + 1]


def choose_step_ticks(last_step: int) -> list[int]:
    """Choose 0 and multiples of a round number, up to the last step."""
    power = 10 ** math.floor(math.log10(last_step))
    gaps = (power // 5, power // 2, power)
    gap = next(gap for gap in gaps if gap and last_step / gap < 10)
    return list(range(0, last_step + 1, gap))
