"""Renders fills as a table, and their totals below it."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from orderctl.display.formats import counted, moment
from orderctl.display.ids import short_ids
from orderctl.display.prices import pair_price, traded_price
from orderctl.display.tables import Column, IfItFits, fitting_table
from orderctl.output.colours import Tone
from orderd.wire.fills import HistoryFill, HistoryResult, PairTotal

FILL_COLUMNS: Final[tuple[Column, ...]] = (
    ("TIME", "left"),
    ("ORDER", "left"),
    ("SOLD", "right"),
    ("RECEIVED", "right"),
    ("PRICE", "right"),
    ("QUOTE BP", "right"),
    ("MID BP", "right"),
)


_MORE_COLUMNS: Final[tuple[Column, ...]] = (
    ("MID", "right"),
    ("POOL FEE", "right"),
    ("FEE", "right"),
    ("RENT", "right"),
    ("VENUE", "left"),
    ("KIND", "left"),
    ("SIGNATURE", "left"),
)
SPARED: Final = (frozenset({"MID BP"}), frozenset({"QUOTE BP"}))
"""The columns that a narrow table omits, one set after the other."""


def fills_table(fills: Iterable[HistoryFill], *, wide: bool = False) -> RenderableType:
    """The fills as a table. ``wide`` adds costs, venue, kind and signature. A narrow terminal omits the year and the
    seconds, and then the slippage."""
    fills = tuple(fills)
    shown = short_ids(fill.order_id for fill in fills)
    rows = [fill_cells(fill, shown[fill.order_id]) for fill in fills]
    if wide:
        columns = (*FILL_COLUMNS, *_MORE_COLUMNS)
        return fitting_table(columns, [row + _more_cells(fill) for fill, row in zip(fills, rows, strict=True)])
    narrow = [fill_cells(fill, shown[fill.order_id], is_narrow=True) for fill in fills]
    return IfItFits(fitting_table(FILL_COLUMNS, rows), fitting_table(FILL_COLUMNS, narrow, spared=SPARED))


def _more_cells(fill: HistoryFill) -> tuple[Text, ...]:
    cells = (_mid(fill), fill.pool_fee, fill.network_fee, fill.rent, fill.venue, fill.kind, fill.signature)
    return tuple(Text(cell or "-") for cell in cells)


def fill_cells(fill: HistoryFill, order: str, *, is_narrow: bool = False) -> tuple[Text, ...]:
    """The cells of a fill; ``order`` is the shortened id of its order.

    The time is local, as in all tables; a narrow table omits the year and the seconds.
    """
    return (
        Text(f"{fill.at.astimezone():%m-%d %H:%M}" if is_narrow else moment(fill.at)),
        Text(order),
        Text(f"{fill.amount_in} {fill.token_in}", justify="right"),
        Text(f"{fill.amount_out} {fill.token_out}", justify="right"),
        Text(_price(fill)[0], justify="right"),
        _slippage(fill.quote_slippage_bps),
        _slippage(fill.mid_slippage_bps),
    )


def _price(traded: HistoryFill | PairTotal) -> tuple[str, str]:
    return traded_price(traded.token_in, traded.amount_in, traded.token_out, traded.amount_out)


def _mid(fill: HistoryFill) -> str | None:
    return None if fill.mid is None else pair_price(fill.token_in, fill.token_out, Fraction(fill.mid))[0]


def _slippage(bps: str | None) -> Text:
    if bps is None:
        return Text("-", justify="right")
    return Text(bps, Tone.GOOD if bps.startswith("-") else "", justify="right")


def totals_lines(history: HistoryResult) -> Iterator[str]:
    """The totals per pair of all matching fills, and the sum of fees."""
    if (totals := history.totals) is None:
        return
    for pair in totals.pairs:
        traded = f"{pair.amount_in} {pair.token_in} for {pair.amount_out} {pair.token_out}"
        price, unit = _price(pair)
        yield f"{counted(pair.fills, 'fill')}: {traded}, at {price} {unit}"
    rent = "" if totals.rent == "0" else f", rent {totals.rent} SOL"
    yield f"{counted(totals.fills, 'fill')} in total: network fees {totals.network_fee} SOL{rent}"
