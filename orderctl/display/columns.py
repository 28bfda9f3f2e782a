"""The columns of order tables, shared by lists, the TUI and shell completion.

Completion reads the names, so this module imports no drawing library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal

from orderctl.display import cells
from orderctl.display.cells import Cell, Showing
from orderctl.display.ids import SHORT_ID
from orderctl.display.resting import above, prices
from orderd.client.errors import ConfigError
from orderd.domain.order import STAGES, OrderKind, OrderStatus

if TYPE_CHECKING:
    from orderd.wire.orders import OrderView

Place = Literal["table", "wide", "active", "ended"]
"""The tables: those of lists, and those of the TUI."""
LISTS: Final[tuple[Place, ...]] = ("table", "wide")
SCREEN: Final[tuple[Place, ...]] = ("active", "ended")


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``name`` is its name on the command line. ``key`` is the sort key; the sort is stable.

    ``places`` are the tables that show the column by default. ``width`` is its width in the TUI, in characters; lists
    use the width that the cells need. In the TUI, a column that ``grows`` takes the remaining width. If the width is
    too small, columns are hidden in the order of ``spared``: 1 first, then 2, and so on; 0 is never hidden.
    """

    name: str
    cell: Callable[[OrderView, Showing], Cell]
    key: Callable[[OrderView], Any]
    width: int
    places: tuple[Place, ...] = ()
    right: bool = False
    grows: bool = False
    spared: int = 0

    @property
    def heading(self) -> str:
        return self.name.replace("_", " ").upper()


def columns_of(place: Place) -> tuple[Column, ...]:
    """The default columns of a table."""
    return tuple(column for column in COLUMNS.values() if place in column.places)


def columns_named(names: str) -> tuple[Column, ...]:
    """The columns with these comma-separated names. Raises ConfigError."""
    return tuple(column_named(name) for name in names.split(","))


def column_named(name: str) -> Column:
    """The column with this name. Raises ConfigError."""
    word = name.strip().lower()
    if (column := COLUMNS.get(word)) is not None:
        return column
    near = get_close_matches(word, COLUMNS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError("There is no such column", f"{name!r}{hint}", f"choose among {', '.join(COLUMNS)}")


COLUMNS: Final[Mapping[str, Column]] = {
    column.name: column
    for column in (
        Column(
            "id",
            cells.short_id,
            attrgetter("id"),
            width=SHORT_ID,
            places=(*LISTS, *SCREEN),
        ),
        Column(
            "status",
            lambda order, _: (cells.state(order),),
            lambda order: cells.state(order)[0],
            width=max(map(len, OrderStatus)),
            places=(*LISTS, *SCREEN),
        ),
        Column(
            "stages",
            cells.stages,
            lambda order: STAGES.index(order.status) if order.status in STAGES else len(STAGES),
            width=len(STAGES) * cells.STAGE_WIDTH,
            places=("active",),
            spared=5,
        ),
        Column(
            "sell",
            lambda order, _: cells.plain(cells.sold(order)),
            lambda order: (order.token_in, Decimal(order.amount_in or 0)),
            width=15,
            places=(*LISTS, *SCREEN),
            right=True,
        ),
        Column(
            "result",
            cells.result,
            attrgetter("token_out"),
            width=cells.RESULT_WIDTH,
            places=(*LISTS, *SCREEN),
            right=True,
            grows=True,
        ),
        Column("created", cells.created, attrgetter("created_at"), width=16, places=LISTS, right=True),
        Column(
            "price",
            cells.price,
            lambda order: (*sorted((order.token_in, order.token_out)), Decimal(cells.price_text(order) or 0)),
            width=12,
            places=("wide",),
            right=True,
        ),
        Column(
            "attempt",
            lambda order, _: cells.plain(str(order.attempt)),
            attrgetter("attempt"),
            width=7,
            places=("wide",),
            right=True,
        ),
        Column(
            "venue",
            lambda order, _: cells.plain(order.venue or "-"),
            lambda order: order.venue or "",
            width=8,
            places=("wide", *SCREEN),
            spared=3,
        ),
        Column(
            "try",
            lambda order, _: cells.plain(str(order.attempt or "-")),
            attrgetter("attempt"),
            width=3,
            places=SCREEN,
            right=True,
            spared=4,
        ),
        Column(
            "client_order_id",
            lambda order, _: cells.plain(order.client_order_id),
            attrgetter("client_order_id"),
            width=36,
            places=("wide", *SCREEN),
            spared=1,
        ),
        Column(
            "signature",
            lambda order, _: cells.plain(order.signature or "-"),
            lambda order: order.signature or "",
            width=88,
            places=("wide",),
        ),
        Column(
            "kind",
            lambda order, _: cells.plain(order.kind),
            attrgetter("kind"),
            width=max(map(len, OrderKind)),
            places=("wide", *SCREEN),
            spared=2,
        ),
        Column(
            "trigger",
            lambda order, _: cells.plain(prices(order) or "-"),
            lambda order: (order.token_in, order.token_out, prices(order) or ""),
            width=32,
            places=("wide",),
        ),
        Column("age", cells.age, attrgetter("created_at"), width=5, places=("active",), right=True, spared=6),
        Column("ended", cells.ended, attrgetter("updated_at"), width=5, places=("ended",), right=True, spared=6),
        Column("parent", cells.parent, lambda order: str(above(order) or ""), width=SHORT_ID),
        Column(
            "account", lambda order, _: cells.plain(order.account or "-"), lambda order: order.account or "", width=12
        ),
    )
}
"""All columns by name, in their default order."""
