"""Plots as SVG, drawn by the server. They need no script, no style attribute and nothing from other sites.

Lines and bars differ by words and dashes too, not by colour alone. The style sheet sets the colours.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

_WIDTH, _HEIGHT = 400, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 8, 10, 22
_GRID_LINES: Final = 4


@dataclass(frozen=True, slots=True)
class PlotSeries:
    """Values from the oldest to the newest; None for a missing value. ``style`` is a class of the style sheet."""

    name: str
    style: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Axis:
    """The bounds of an axis, and the values at which a line is drawn."""

    low: float
    high: float
    ticks: Sequence[float]

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def axis_of(values: Sequence[float], least_step: float = 0.0) -> Axis:
    """An axis that includes all values and 0. Its ticks are round numbers with this minimum distance."""
    low, high = min([0.0, *values]), max([0.0, *values])
    span = high - low or 1.0
    raw = max(span / _GRID_LINES, least_step)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= raw)
    first, last = math.floor(low / step), math.ceil((low + span) / step)
    ticks = [number * step for number in range(first, last + 1)]
    return Axis(ticks[0], ticks[-1], ticks)


def lines(
    description: str, series: Sequence[PlotSeries], times: tuple[str, str, str], tick_label: Callable[[float], str]
) -> Markup:
    """A line per series; a value without neighbours is a dot. ``times`` label the left end, the middle and the right
    end."""
    axis = axis_of([value for each in series for value in each.values if value is not None])
    drawn = [mark for each in series for mark in _line(each, axis)]
    return _plot(description, axis, times, tick_label, drawn)


def bars(
    description: str, series: Sequence[PlotSeries], times: tuple[str, str, str], tick_label: Callable[[float], str]
) -> Markup:
    """A bar per moment, with the values of all series stacked."""
    sums = [sum(value or 0 for value in column) for column in zip(*(each.values for each in series), strict=True)]
    axis = axis_of(sums, least_step=1)
    width = (_WIDTH - _LEFT - _RIGHT) / max(len(sums), 1)
    drawn, base = list[Markup](), [0.0] * len(sums)
    for each in series:
        for number, value in enumerate(each.values):
            if value:
                top = axis.y(base[number] + value)
                mark = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
                height = axis.y(base[number]) - top
                drawn.append(mark.format(each.style, _LEFT + number * width + 0.5, top, width - 1, height))
                base[number] += value
    return _plot(description, axis, times, tick_label, drawn)


def _line(series: PlotSeries, axis: Axis) -> Iterator[Markup]:
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(series.values) - 1, 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for number, value in enumerate(series.values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((_LEFT + number * step, axis.y(value)))
    for run in runs:
        if len(run) == 1:
            yield Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="2.5"/>').format(series.style, *run[0])
        elif run:
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
            yield Markup('<polyline class="{}" points="{}"/>').format(series.style, points)


def _plot(
    description: str,
    axis: Axis,
    times: tuple[str, str, str],
    tick_label: Callable[[float], str],
    drawn: Sequence[Markup],
) -> Markup:
    grid = list[Markup]()
    for tick in axis.ticks:
        y = axis.y(tick)
        style = "zero" if tick == 0 else "grid"
        grid.append(
            Markup('<line class="{}" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>').format(
                style, _LEFT, y, _WIDTH - _RIGHT, y
            )
        )
        grid.append(Markup('<text x="{}" y="{:.1f}" class="left">{}</text>').format(_LEFT - 6, y + 4, tick_label(tick)))
    places = ((_LEFT, "right"), ((_LEFT + _WIDTH - _RIGHT) / 2, "middle"), (_WIDTH - _RIGHT, "left"))
    for (x, anchor), time in zip(places, times, strict=True):
        grid.append(Markup('<text x="{}" y="{}" class="{}">{}</text>').format(x, _HEIGHT - 6, anchor, time))
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        _WIDTH, _HEIGHT, description, Markup("").join(grid), Markup("").join(drawn)
    )
