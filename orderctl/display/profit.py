"""Renders profit and loss, and the portfolio."""

from decimal import Decimal
from itertools import accumulate

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from orderctl.display.tables import Column, fitting_table, plain_table
from orderctl.output.colours import Tone
from orderd.wire.profit import PnlResult, PortfolioResult

_UNKNOWN = "?"
_BAR = ""
"""The heading of bars."""
_BAR_WIDTH = 20
"""Characters of a full bar."""
_MIN_POINTS = 2
"""Minimum number of points for a curve."""


def tokens_table(pnl: PnlResult, *, wide: bool = False) -> RenderableType:
    """Profit and loss by token. ``wide`` adds the amounts sold without a known cost. A narrow terminal omits fees and
    rent, and then the price."""
    more: tuple[Column, ...] = (("UNCOVERED", "right"),) if wide else ()
    columns: tuple[Column, ...] = (
        ("TOKEN", "left"),
        ("HELD", "right"),
        (f"COST {pnl.unit}", "right"),
        ("PRICE", "right"),
        ("VALUE", "right"),
        ("REALISED", "right"),
        ("UNREALISED", "right"),
        ("FEES", "right"),
        ("RENT", "right"),
        *more,
    )
    rows = [
        (
            each.token,
            each.held,
            f"~{each.cost}" if each.is_estimated else each.cost,
            each.price or _UNKNOWN,
            each.value or _UNKNOWN,
            _signed(each.realised),
            _signed(each.unrealised),
            each.fees,
            each.rent,
            *((each.uncovered,) if wide else ()),
        )
        for each in pnl.tokens
    ]
    return fitting_table(columns, rows, spared=() if wide else (frozenset({"FEES", "RENT"}), frozenset({"PRICE"})))


def days_table(pnl: PnlResult) -> Table:
    table = plain_table(("DAY", "left"), ("TOKEN", "left"), ("REALISED", "right"), ("FEES", "right"), ("RENT", "right"))
    for each in pnl.days:
        table.add_row(each.day, each.token, _signed(each.realised), each.fees, each.rent)
    return table


def totals_line(pnl: PnlResult) -> str:
    totals = pnl.totals
    spent = f"fees {totals.fees}, rent {totals.rent}"
    if totals.net is None:
        return f"realised {totals.realised}, {spent} {pnl.unit}; unrealised unknown, because a price is unknown"
    return f"realised {totals.realised}, unrealised {totals.unrealised}, {spent}: net {totals.net} {pnl.unit}"


def earned_curve(pnl: PnlResult, width: int, height: int) -> list[Text]:
    """A bar chart of the cumulated realised profit after fees and rent, for the newest days that fit."""
    days: dict[str, Decimal] = {}
    for each in pnl.days:
        earned = Decimal(each.realised) - Decimal(each.fees) - Decimal(each.rent)
        days[each.day] = days.get(each.day, Decimal(0)) + earned
    totals = list(accumulate(days[day] for day in sorted(days)))
    if len(totals) < _MIN_POINTS:
        return []
    bar = max(1, min(4, width // len(totals)))
    shown = totals[-(width // bar) :]
    low, high = min([Decimal(0), *shown]), max([Decimal(0), *shown])
    step = (high - low) / height or Decimal(1)
    lines = []
    for row in range(height):
        middle = high - step * row - step / 2
        line = Text()
        for total in shown:
            is_filled = min(total, Decimal(0)) < middle < max(total, Decimal(0))
            line.append(("█" * max(bar - 1, 1) if is_filled else "").ljust(bar), Tone.GOOD if total > 0 else Tone.BAD)
        lines.append(line)
    tone = Tone.GOOD if shown[-1] > 0 else Tone.BAD
    return [*lines, Text.assemble("total ", (f"{shown[-1]:+f}", tone), f" {pnl.unit} after costs"), Text()]


def holdings_table(portfolio: PortfolioResult, *, bars: bool = False) -> RenderableType:
    """The holdings as a table. ``bars`` adds a bar for each share; where there is little room, the bars are omitted,
    and then the change."""
    columns: tuple[Column, ...] = (
        ("TOKEN", "left"),
        ("AMOUNT", "right"),
        (f"PRICE {portfolio.unit}", "right"),
        ("VALUE", "right"),
        ("SHARE", "right"),
        ("24H", "right"),
        *(((_BAR, "left"),) if bars else ()),
    )
    rows = [
        (
            each.token,
            each.amount,
            each.price or _UNKNOWN,
            each.value or _UNKNOWN,
            _UNKNOWN if each.share is None else f"{each.share} %",
            _signed(each.change, " %"),
            *((Text(share_bar(each.share), Tone.MOVING),) if bars else ()),
        )
        for each in portfolio.holdings
    ]
    return fitting_table(columns, rows, spared=(frozenset({_BAR}), frozenset({"24H"})) if bars else ())


def share_bar(share: str | None) -> str:
    """A bar for a share in percent."""
    return "━" * round(Decimal(share or 0) * _BAR_WIDTH / 100)


def _signed(amount: str | None, unit: str = "") -> Text:
    if amount is None:
        return Text(_UNKNOWN)
    if not amount.strip("0."):
        return Text(f"{amount}{unit}")
    return Text(f"{amount}{unit}", Tone.BAD if amount.startswith("-") else Tone.GOOD)
