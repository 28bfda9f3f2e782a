"""Renders lists of orders."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from orderctl.display.cells import Cell, Role, Showing
from orderctl.display.columns import COLUMNS, Column, columns_of
from orderctl.display.ids import SHORT_ID, short_ids
from orderctl.display.tables import IfItFits, fitting_table, plain_table
from orderd.wire.orders import OrderView

WHOLE_ID: Final = 36


def orders_table(
    orders: tuple[OrderView, ...], *, wide: bool, columns: tuple[Column, ...] | None = None
) -> RenderableType:
    """The orders as a table of ``columns``, or the default ones. ``wide`` adds columns that do not fit in 80
    characters, and shows full ids. A narrow terminal abbreviates conditions, and a narrower one omits the time."""
    if columns is not None or wide:
        return _table(
            orders, columns or columns_of("wide"), Showing(datetime.now(UTC), WHOLE_ID if wide else _id_width(orders))
        )
    showing = Showing(datetime.now(UTC), _id_width(orders))
    usual = columns_of("table")
    brief = tuple(column for column in usual if column.name != "created")
    short = replace(showing, is_live=True)
    views = (_table(orders, usual, showing), _table(orders, usual, short), _table(orders, brief, short))
    return IfItFits(views[0], IfItFits(*views[1:]))


def _table(orders: tuple[OrderView, ...], columns: tuple[Column, ...], showing: Showing) -> Table:
    table = plain_table(*((column.heading, "right" if column.right else "left") for column in columns))
    for order in orders:
        table.add_row(*(cell_text(column.cell(order, showing)) for column in columns))
    return table


FAMILY: Final = ("id", "kind", "status", "sell", "result")
"""The columns of child orders."""
LIVE_FAMILY: Final = ("id", "status", "stages", "sell", "result")
"""The columns of child orders on a live screen of 80 columns."""


SPARED: Final = (frozenset({"stages"}), frozenset({"status"}), frozenset({"sell"}))
"""What a narrow live screen leaves out, one after another."""


def family_table(children: Iterable[OrderView], showing: Showing) -> RenderableType:
    """The child orders of an order, as a table without headings."""
    shown = list(children)
    if not showing.is_live:
        showing = replace(showing, id_width=_id_width(shown))
    names = LIVE_FAMILY if showing.is_live else FAMILY
    rows = [[cell_text(COLUMNS[name].cell(child, showing)) for name in names] for child in shown]
    return fitting_table(
        [(name, "right" if COLUMNS[name].right else "left") for name in names],
        rows,
        spared=SPARED if showing.is_live else (),
        show_header=False,
    )


def _id_width(orders: Iterable[OrderView]) -> int:
    return max(map(len, short_ids(order.id for order in orders).values()), default=SHORT_ID)


def cell_text(cell: Cell) -> Text:
    """The cell's texts in their styles."""
    if len(cell) == 1:  # the style then also applies to the padding
        ((text, role),) = cell
        return Text(text, _style(role))
    return Text.assemble(*((text, _style(role)) for text, role in cell))


def _style(role: Role) -> str:
    return "bold" if role == "id" else role
