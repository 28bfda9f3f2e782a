"""How fills look in a table, and what they came to in lines below it."""

from collections.abc import Iterable, Iterator
from typing import Final

from rich.table import Table
from rich.text import Text

from orderctl.display.formats import counted
from orderctl.display.ids import short_ids
from orderctl.display.tables import Column, plain_table
from orderctl.output.colours import Tone
from orderd.wire.fills import HistoryFill, HistoryResult

FILL_COLUMNS: Final[tuple[Column, ...]] = (
    ("TIME", "left"),
    ("ORDER", "left"),
    ("SOLD", "right"),
    ("RECEIVED", "right"),
    ("PRICE", "right"),
    ("QUOTE BP", "right"),
    ("MID BP", "right"),
)


def fills_table(fills: Iterable[HistoryFill], *, wide: bool = False) -> Table:
    """``wide`` adds the costs in addition to the price, and the venue."""
    fills = tuple(fills)
    more: tuple[Column, ...] = (
        ("MID", "right"),
        ("POOL FEE", "right"),
        ("FEE", "right"),
        ("RENT", "right"),
        ("VENUE", "left"),
        ("KIND", "left"),
        ("SIGNATURE", "left"),
    )
    table = plain_table(*FILL_COLUMNS, *(more if wide else ()))
    shown = short_ids(fill.order_id for fill in fills)
    for fill in fills:
        cells = (
            fill.mid or "-",
            fill.pool_fee or "-",
            fill.network_fee,
            fill.rent or "-",
            fill.venue or "-",
            fill.kind,
            fill.signature,
        )
        table.add_row(*fill_cells(fill, shown[fill.order_id]), *(cells if wide else ()))
    return table


def fill_cells(fill: HistoryFill, order: str) -> tuple[Text, ...]:
    """One per column; ``order`` is the order's id as shown."""
    return (
        Text(f"{fill.at:%Y-%m-%d %H:%M:%S}"),
        Text(order),
        Text(f"{fill.amount_in} {fill.token_in}", justify="right"),
        Text(f"{fill.amount_out} {fill.token_out}", justify="right"),
        Text(fill.price, justify="right"),
        _slippage(fill.quote_slippage_bps),
        _slippage(fill.mid_slippage_bps),
    )


def _slippage(bps: str | None) -> Text:
    if bps is None:
        return Text("-", justify="right")
    return Text(bps, Tone.GOOD if bps.startswith("-") else "", justify="right")


def totals_lines(history: HistoryResult) -> Iterator[str]:
    """What all fills that match came to, pair by pair."""
    if (totals := history.totals) is None:
        return
    for pair in totals.pairs:
        traded = f"{pair.amount_in} {pair.token_in} for {pair.amount_out} {pair.token_out}"
        yield f"{counted(pair.fills, 'fill')}: {traded}, at {pair.price}"
    rent = "" if totals.rent == "0" else f", rent {totals.rent} SOL"
    yield f"{counted(totals.fills, 'fill')} in all: network fees {totals.network_fee} SOL{rent}"
