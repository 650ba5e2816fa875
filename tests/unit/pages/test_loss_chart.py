"""The chart of the losses of a page: its points, its ticks."""

import pytest

from cordinr.pages.loss_chart import Curve, choose_loss_ticks, choose_step_ticks, draw_losses


def test_a_chart_puts_every_point_where_the_axes_say():
    chart = draw_losses(
        [Curve("a", "a.json", [50, 100], [1.0, 0.1]), Curve("b", "", [100], [0.01])]
    )
    corners = [[float(n) for n in line.points.replace(",", " ").split()] for line in chart.lines]
    assert corners == [[260, 0, 520, 95], [520, 190]]
    places = dict(chart.y_ticks)
    assert (places[0], places[95], places[190]) == ("1", "0.1", "0.01")
    assert chart.x_ticks[0] == (0, "0") and chart.x_ticks[-1] == (520, "100")
    assert chart.text == "a: 1 to 0.1; b: 0.01 to 0.01"
    assert len({line.colour for line in chart.lines}) == 2
    assert draw_losses([Curve("none", "", [], [])]) is None
    assert draw_losses([Curve("flat", "", [1, 2], [0.0, 0.0])]) is None


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.3, 4, [0.2, 0.5, 1, 2, 5]),
        (0.1, 1, [0.1, 0.2, 0.5, 1]),
        (2, 2, [2, 5]),
        (3e-6, 0.2, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]),
    ],
)
def test_log_ticks_are_round_and_hold_all(low, high, ticks):
    assert choose_loss_ticks(low, high) == pytest.approx(ticks)


def test_step_ticks_are_few_and_round():
    for end in [*range(1, 1100), 1_000_000]:
        ticks = choose_step_ticks(end)
        gap = ticks[1] - ticks[0]
        assert 2 <= len(ticks) <= 10 and ticks[-1] <= end < ticks[-1] + gap
        assert str(gap).rstrip("0") in {"1", "2", "5"}
