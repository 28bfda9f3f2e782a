"""How a list of orders looks on a terminal."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from rich.table import Table
from rich.text import Text

from orderctl.display.columns import Cell, Column, Role, Showing, columns_of
from orderctl.display.ids import SHORT_ID, short_ids
from orderctl.display.tables import plain_table
from orderd.wire import OrderView

WHOLE_ID: Final = 36


def orders_table(orders: tuple[OrderView, ...], *, wide: bool, columns: tuple[Column, ...] | None = None) -> Table:
    """The ``columns``, or those that a list has. ``wide`` adds to these what does not fit in 80 columns, and shows ids
    whole."""
    columns = columns or columns_of("wide" if wide else "table")
    showing = Showing(datetime.now(UTC), WHOLE_ID if wide else _id_width(orders))
    table = plain_table(*((column.heading, "right" if column.right else "left") for column in columns))
    for order in orders:
        table.add_row(*(cell_text(column.cell(order, showing)) for column in columns))
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
