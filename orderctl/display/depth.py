"""Renders the depth of a pair: a curve of prices by size, and a table per side.

The size axis is logarithmic, from left to right; prices go from bottom to top. Larger purchases cost more per token,
larger sales bring less.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from orderctl.display.tables import Column, IfItFits, fitting_table
from orderctl.output.colours import Tone
from orderctl.output.depth import Depth, Level, Offer, Side

_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of the dots in a braille character, by row and column."""
_BRAILLE: Final = 0x2800
_TONES: Final[dict[Side, Tone]] = {"sell": Tone.BAD, "buy": Tone.GOOD}
_TITLES: Final[dict[Side, str]] = {"sell": "SELL", "buy": "BUY"}
_HEIGHT: Final = 12
_AXIS_WIDTH: Final = 12
"""Width of the price axis, in columns."""


def depth_view(depth: Depth, width: int) -> RenderableType:
    return Group(*curve(depth, width, _HEIGHT), Text(), *_tables(depth))


def curve(depth: Depth, width: int, height: int) -> list[Text]:
    """Draw the curve. Empty if there is only one size."""
    points = {side: _points(depth.levels, side) for side in _TONES}
    prices = [price for each in points.values() for _, price in each]
    sizes = [size for each in points.values() for size, _ in each]
    rows, columns = height - 2, max(width - _AXIS_WIDTH, 2)
    if len(set(sizes)) < 2:
        return []
    low, high = min(prices), max(prices)
    first, last = min(sizes).log10(), max(sizes).log10()

    def dot(size: Decimal, price: Decimal) -> tuple[int, int]:
        across = (size.log10() - first) / (last - first) * (2 * columns - 1)
        down = (high - price) / (high - low or 1) * (4 * rows - 1)
        return round(across), round(down)

    cells: dict[tuple[int, int], tuple[int, Tone]] = {}
    for side, each in points.items():
        for before, after in pairwise(dot(*point) for point in each):
            for x, y in _line(before, after):
                place = y // 4, x // 2
                cells[place] = cells.get(place, (0, Tone.MUTED))[0] | _DOTS[y % 4][x % 2], _TONES[side]
    lines = []
    for row in range(rows):
        drawn = [cells.get((row, column)) for column in range(columns)]
        text = Text.assemble(*(" " if cell is None else (chr(_BRAILLE | cell[0]), cell[1]) for cell in drawn))
        label = {0: f"{high:.6g}", rows - 1: f"{low:.6g}"}.get(row, "")
        lines.append(text.append(f"┤ {label}" if label else "│", "dim"))
    smallest, largest = f"{min(sizes):f} {depth.base}", f"{max(sizes):f} {depth.base}"
    lines.append(Text("─" * columns + "┘", "dim"))
    lines.append(Text(f"{smallest}{largest:>{columns - len(smallest)}}", "dim"))
    return lines


def _points(levels: Sequence[Level], side: Side) -> list[tuple[Decimal, Decimal]]:
    """The sizes with a route, and their prices."""
    return [
        (Decimal(level.size), Decimal(level.routed.price))
        for level in levels
        if level.side == side and level.routed is not None
    ]


def _line(before: tuple[int, int], after: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The dots of a line between two dots."""
    steps = max(abs(after[0] - before[0]), abs(after[1] - before[1]), 1)
    for step in range(steps + 1):
        yield tuple(round(a + (b - a) * step / steps) for a, b in zip(before, after, strict=True))  # type: ignore[misc]


def _tables(depth: Depth) -> Iterator[RenderableType]:
    yield Text(f"mid price {depth.mid} {depth.quote} per {depth.base}; costs are basis points worse than it")
    for side in _TONES:
        yield Text()
        yield IfItFits(_table(depth, side, " ALONE"), _table(depth, side, spared=(frozenset({"PRICE"}),)))


def _table(depth: Depth, side: Side, alone: str = "", spared: Sequence[frozenset[str]] = ()) -> RenderableType:
    """``alone`` is a suffix for the headings of venues."""
    levels = [level for level in depth.levels if level.side == side]
    venues = list(levels[0].venues)
    columns: list[Column] = [
        (f"{_TITLES[side]} {depth.base}", "right"),
        ("RECEIVE" if side == "sell" else "PAY", "right"),
        ("PRICE", "right"),
        ("ROUTED", "right"),
    ]
    columns += [(f"{venue}{alone}".upper(), "right") for venue in venues]
    rows: list[tuple[str | Text, ...]] = []
    for level in levels:
        routed = level.routed
        if routed is None:
            rows.append((level.size, Text(str(level.refusal), Tone.WARNING), "-", "-", *("-" for _ in venues)))
            continue
        amount = f"{routed.amount} {depth.quote}"
        costs = (_cost(level.venues[venue]) for venue in venues)
        rows.append((level.size, amount, routed.price, Text(_cost(routed), _TONES[side]), *costs))
    return fitting_table(columns, rows, spared=spared)


def _cost(offer: Offer | None) -> str:
    return "-" if offer is None else f"{offer.cost_bps} bp"
