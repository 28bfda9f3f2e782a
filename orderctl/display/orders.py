"""How a list of orders looks on a terminal."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from orderctl.display.columns import COLUMNS, Cell, Column, Role, Showing, columns_of
from orderctl.display.ids import SHORT_ID, short_ids
from orderctl.display.tables import IfItFits, plain_table
from orderd.wire.orders import OrderView

WHOLE_ID: Final = 36


def orders_table(
    orders: tuple[OrderView, ...], *, wide: bool, columns: tuple[Column, ...] | None = None
) -> RenderableType:
    """The ``columns``, or the default ones of a list. ``wide`` adds columns that do not fit in 80 characters, and shows
    whole ids. On a terminal that is too narrow for conditions in words, signs are used, and the time is left out."""
    if columns is not None or wide:
        return _table(
            orders, columns or columns_of("wide"), Showing(datetime.now(UTC), WHOLE_ID if wide else _id_width(orders))
        )
    showing = Showing(datetime.now(UTC), _id_width(orders))
    usual = columns_of("table")
    brief = tuple(column for column in usual if column.name != "created")
    return IfItFits(_table(orders, usual, showing), _table(orders, brief, replace(showing, is_live=True)))


def _table(orders: tuple[OrderView, ...], columns: tuple[Column, ...], showing: Showing) -> Table:
    table = plain_table(*((column.heading, "right" if column.right else "left") for column in columns))
    for order in orders:
        table.add_row(*(cell_text(column.cell(order, showing)) for column in columns))
    return table


FAMILY: Final = ("id", "kind", "status", "sell", "result")
"""The columns of the orders that execute another one."""
LIVE_FAMILY: Final = ("id", "status", "stages", "sell", "result")
"""The same where they are drawn again all the time, within 80 columns."""


def family_table(children: Iterable[OrderView], showing: Showing) -> Table:
    """The orders that execute another one, or follow it, below each other and without headings."""
    shown = list(children)
    if not showing.is_live:
        showing = replace(showing, id_width=_id_width(shown))
    columns = [COLUMNS[name] for name in (LIVE_FAMILY if showing.is_live else FAMILY)]
    table = plain_table(*(("", "right" if column.right else "left") for column in columns))
    table.show_header = False
    for child in shown:
        table.add_row(*(cell_text(column.cell(child, showing)) for column in columns))
    return table


def _id_width(orders: Iterable[OrderView]) -> int:
    return max(map(len, short_ids(order.id for order in orders).values()), default=SHORT_ID)


def cell_text(cell: Cell) -> Text:
    """Each of its texts in its tone."""
    if len(cell) == 1:  # its style is that of the blanks beside it, too
        ((text, role),) = cell
        return Text(text, _style(role))
    return Text.assemble(*((text, _style(role)) for text, role in cell))


def _style(role: Role) -> str:
    return "bold" if role == "id" else role
