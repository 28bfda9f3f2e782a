"""How earnings and holdings look on a terminal."""

from rich.table import Table
from rich.text import Text

from orderctl.display.tables import Column, plain_table
from orderctl.output.colours import Tone
from orderd.records import PnlResult, PortfolioResult

_UNKNOWN = "?"


def tokens_table(pnl: PnlResult, *, wide: bool = False) -> Table:
    """``wide`` adds what was sold without a known cost."""
    more: tuple[Column, ...] = (("UNCOVERED", "right"),) if wide else ()
    table = plain_table(
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
    for each in pnl.tokens:
        table.add_row(
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
    return table


def days_table(pnl: PnlResult) -> Table:
    table = plain_table(("DAY", "left"), ("TOKEN", "left"), ("REALISED", "right"), ("FEES", "right"), ("RENT", "right"))
    for each in pnl.days:
        table.add_row(each.day, each.token, _signed(each.realised), each.fees, each.rent)
    return table


def totals_line(pnl: PnlResult) -> str:
    totals = pnl.totals
    spent = f"fees {totals.fees}, rent {totals.rent}"
    if totals.net is None:
        return f"realised {totals.realised}, {spent} {pnl.unit}; a price is not known, so the rest cannot be told"
    return f"realised {totals.realised}, unrealised {totals.unrealised}, {spent}: net {totals.net} {pnl.unit}"


def holdings_table(portfolio: PortfolioResult) -> Table:
    table = plain_table(
        ("TOKEN", "left"),
        ("AMOUNT", "right"),
        (f"PRICE {portfolio.unit}", "right"),
        ("VALUE", "right"),
        ("SHARE", "right"),
        ("24H", "right"),
    )
    for each in portfolio.holdings:
        share = _UNKNOWN if each.share is None else f"{each.share} %"
        table.add_row(
            each.token, each.amount, each.price or _UNKNOWN, each.value or _UNKNOWN, share, _signed(each.change, " %")
        )
    return table


def _signed(amount: str | None, unit: str = "") -> Text:
    if amount is None:
        return Text(_UNKNOWN)
    if not amount.strip("0."):
        return Text(f"{amount}{unit}")
    return Text(f"{amount}{unit}", Tone.BAD if amount.startswith("-") else Tone.GOOD)
