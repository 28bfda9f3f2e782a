"""The columns of order tables, shared by lists, the TUI and shell completion.

A column determines the content of its cells, and the table their style: a cell consists of texts with roles. Completion
reads the names, so this module imports no drawing library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from orderctl.display.ids import SHORT_ID
from orderctl.display.resting import above, awaited, distance, is_open, name_of, prices, sides_of, sign, trigger_price
from orderctl.display.states import state_of
from orderctl.output.colours import Tone
from orderd.client.errors import ConfigError
from orderd.domain.money import format_significant
from orderd.domain.order import FILLED, HELD, IDLE, STAGES, TERMINAL

if TYPE_CHECKING:
    from orderd.domain.trigger import Condition
    from orderd.wire.orders import OrderView

Role = Literal["", "id"] | Tone
Cell = tuple[tuple[str, Role], ...]
"""Texts with their roles."""

Place = Literal["table", "wide", "active", "ended"]
"""The tables: those of lists, and those of the TUI."""
LISTS: Final[tuple[Place, ...]] = ("table", "wide")
SCREEN: Final[tuple[Place, ...]] = ("active", "ended")

STAGE_WIDTH: Final = 2
"""Characters per stage in a progress bar."""
RESULT_WIDTH: Final = 16
"""Minimum width of the result column."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What a cell depends on in addition to its order. Ids are cut to ``id_width`` characters.

    ``is_live``: the table is redrawn continuously, so it shows changing values, which would soon be outdated in a
    printed list. ``market`` has the known prices of pairs: one first token in second tokens. ``marks`` are prefixes for
    ids of orders with a family.
    """

    now: datetime
    id_width: int = SHORT_ID
    is_live: bool = False
    market: Mapping[tuple[str, str], Fraction] = field(default_factory=dict)
    marks: Mapping[UUID, str] = field(default_factory=dict)


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


def sold(order: OrderView) -> str:
    """The sold amount; for an exact output that is not filled yet, its maximum cost, if it is known."""
    if order.amount_in is not None:
        return f"{order.amount_in} {order.token_in}"
    most = order.max_amount_in or order.max_in
    return order.token_in if most is None else f"≤ {most} {order.token_in}"


def state(order: OrderView) -> tuple[str, Tone]:
    """The label of the order's state, and its tone."""
    return state_of(order.status, is_unknown=order.unknown_since is not None)


def _plain(text: str) -> Cell:
    return ((text, ""),)


def _id(order: OrderView, showing: Showing) -> Cell:
    mark = showing.marks.get(order.id, "")
    shown = str(order.id)[: showing.id_width - len(mark)]
    return ((mark, Tone.MUTED), (shown, "id")) if mark else ((shown, "id"),)


def _parent(order: OrderView, showing: Showing) -> Cell:
    """The id of its parent or entry order."""
    return _plain(str(above(order) or "-")[: showing.id_width])


def _stages(order: OrderView, showing: Showing) -> Cell:
    """A progress bar through the stages. For a resting order, it shows the distance of the market from its price; for
    an order with several executions, the part that is sold."""
    total, tone = len(STAGES) * STAGE_WIDTH, state(order)[1]
    if is_open(order):
        return _distance(order, showing, total) if order.slices is None else sold_bar(order, total)
    if order.status in STAGES:
        done = (STAGES.index(order.status) + 1) * STAGE_WIDTH
        return ("━" * done, tone), ("─" * (total - done), Tone.MUTED)
    return (("─" * total, tone),)


def _distance(order: OrderView, showing: Showing, width: int) -> Cell:
    paid = showing.market.get((order.token_in, order.token_out))
    away = None if not paid else distance(order, paid)
    return _plain(" " * width) if away is None else distance_bar(away, width)


def distance_bar(away: Fraction, width: int) -> Cell:
    """A bar that fills as the distance falls from ``_FAR`` to 0, and the distance in percent."""
    return _bar(1 - away / _FAR, away, width)


def sold_bar(order: OrderView, width: int) -> Cell:
    """A bar of the part of an order that its child orders have sold."""
    share = Fraction(order.filled_amount_in or 0) / Fraction(order.amount_in or 1)
    return _bar(share, share, width)


def _bar(done: Fraction, part: Fraction, width: int) -> Cell:
    """A bar filled up to ``done``, and ``part`` as a percentage, together in ``width`` characters."""
    bar = width - len(" 0.00%")
    heavy = max(0, min(bar, -(-done * bar // 1)))
    return ("━" * heavy, Tone.MOVING), ("─" * (bar - heavy), Tone.MUTED), (_percent(part).rjust(width - bar), "")


_FAR: Final = Fraction(1, 10)


def _percent(part: Fraction) -> str:
    """Format a part as a percentage of at most five characters."""
    whole, hundredths = divmod(int(part * 10_000), 100)
    if whole > 999:
        return ">999%"
    return (
        f"{whole}%" if whole >= 100 else f"{whole}.{hundredths // 10}%" if whole >= 10 else f"{whole}.{hundredths:02}%"
    )


def _awaited(order: OrderView, showing: Showing) -> Cell:
    """The price that an order waits for; in a live table, the market price at which it triggers."""
    if not showing.is_live:
        return _plain(_bought(order, prices(order)))
    if order.slices is not None:
        return (f"→ {order.token_out} ", Tone.MUTED), next_execution(order, showing.now)
    if sides := sides_of(order):
        side_prices = " ".join(f"{sign(side)}{side.price}" for side in sides)
        return ("oco ", Tone.MUTED), (_in_unit(side_prices, sides[0]), "")
    condition = awaited(order)
    fires_at = None if condition is None else trigger_price(order, condition)
    if condition is None or fires_at is None:
        return _plain(_bought(order, None if order.status in HELD else prices(order)))
    price = f"{sign(condition)} {format_significant(fires_at, 9 if condition.price else 4)}"
    return (f"{name_of(condition)} ", Tone.MUTED), (_in_unit(price, condition), "")


def _bought(order: OrderView, waits_for: str | None) -> str:
    """The condition, preceded by the bought token if the condition does not contain it."""
    if waits_for is None:
        return f"→ {order.token_out}"
    return waits_for if order.token_out in waits_for.split() else f"→ {order.token_out}, {waits_for}"


def next_execution(order: OrderView, now: datetime) -> tuple[str, Role]:
    """When the next of several executions is due, if known."""
    if order.paused:
        return ("paused", Tone.WAITING)
    if order.next_at is None:
        return (f"every {order.every}", "")
    return (f"in {_whole((order.next_at - now).total_seconds())}", "")


def _in_unit(price: str, condition: Condition) -> str:
    """The price with its full unit if that fits in the narrowest table, or else with one token."""
    pair = condition.pair
    whole = f"{price} {pair.quote.symbol}/{pair.base.symbol}"
    if len(whole) <= RESULT_WIDTH:
        return whole
    return f"{price} {pair.quote.symbol}" if pair.token_out == pair.quote else f"{price} → {pair.base.symbol}"


def _result(order: OrderView, showing: Showing) -> Cell:
    """The fill, the error code, the condition, or the bought token; in a live table, with the quoted amount."""
    if order.status in FILLED:
        return ((f"{order.amount_out} {order.token_out}", Tone.GOOD),)
    if order.error is not None:
        return ((order.error.code, Tone.BAD),)
    if showing.is_live and order.status not in TERMINAL:
        if order.due_at is not None and order.due_at > showing.now:
            return ((f"in {_whole((order.due_at - showing.now).total_seconds() + 1)}", Tone.WAITING),)
        if order.quoted_amount_out is not None and not is_open(order):
            return (("→ ", Tone.MUTED), (f"{order.quoted_amount_out} {order.token_out}", ""))
    if order.status in IDLE:
        return _awaited(order, showing)
    bought = order.token_out if order.exact_out is None else f"{order.exact_out} {order.token_out}"
    return ((f"→ {bought}", Tone.MUTED),)


def _created(order: OrderView, showing: Showing) -> Cell:
    return _plain(local_time(order.created_at, showing.now))


def _age(order: OrderView, showing: Showing) -> Cell:
    return _plain(_whole((showing.now - order.created_at).total_seconds()))


def _ended(order: OrderView, showing: Showing) -> Cell:
    """When the order ended: the local time, or the date if it was not today."""
    if order.status not in TERMINAL:
        return _plain("-")
    at = order.updated_at.astimezone()
    return _plain(f"{at:%H:%M}" if at.date() == showing.now.astimezone().date() else f"{at:%m-%d}")


def local_time(at: datetime, now: datetime) -> str:
    """The local time, with the date if it is not today."""
    local = at.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"


def _whole(seconds: float) -> str:
    """A duration without fractions, which would flicker: ``12 s``, ``1:01``, ``2 h``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02}" if whole < 3600 else f"{whole // 3600} h"


COLUMNS: Final[Mapping[str, Column]] = {
    column.name: column
    for column in (
        Column(
            "id",
            _id,
            attrgetter("id"),
            width=SHORT_ID,
            places=(*LISTS, *SCREEN),
        ),
        Column(
            "status",
            lambda order, _: (state(order),),
            lambda order: state(order)[0],
            width=9,
            places=(*LISTS, *SCREEN),
        ),
        Column(
            "stages",
            _stages,
            lambda order: STAGES.index(order.status) if order.status in STAGES else len(STAGES),
            width=len(STAGES) * STAGE_WIDTH,
            places=("active",),
            spared=5,
        ),
        Column(
            "sell",
            lambda order, _: _plain(sold(order)),
            lambda order: (order.token_in, Decimal(order.amount_in or 0)),
            width=15,
            places=(*LISTS, *SCREEN),
            right=True,
        ),
        Column(
            "result",
            _result,
            attrgetter("token_out"),
            width=RESULT_WIDTH,
            places=(*LISTS, *SCREEN),
            right=True,
            grows=True,
        ),
        Column("created", _created, attrgetter("created_at"), width=16, places=LISTS, right=True),
        Column(
            "price",
            lambda order, _: _plain(order.executed_price or "-"),
            lambda order: (order.token_in, order.token_out, Decimal(order.executed_price or 0)),
            width=12,
            places=("wide",),
            right=True,
        ),
        Column(
            "attempt",
            lambda order, _: _plain(str(order.attempt)),
            attrgetter("attempt"),
            width=7,
            places=("wide",),
            right=True,
        ),
        Column(
            "venue",
            lambda order, _: _plain(order.venue or "-"),
            lambda order: order.venue or "",
            width=8,
            places=("wide", *SCREEN),
            spared=3,
        ),
        Column(
            "try",
            lambda order, _: _plain(str(order.attempt or "-")),
            attrgetter("attempt"),
            width=3,
            places=SCREEN,
            right=True,
            spared=4,
        ),
        Column(
            "client_order_id",
            lambda order, _: _plain(order.client_order_id),
            attrgetter("client_order_id"),
            width=36,
            places=("wide", *SCREEN),
            spared=1,
        ),
        Column(
            "signature",
            lambda order, _: _plain(order.signature or "-"),
            lambda order: order.signature or "",
            width=88,
            places=("wide",),
        ),
        Column(
            "kind",
            lambda order, _: _plain(order.kind),
            attrgetter("kind"),
            width=11,
            places=("wide", *SCREEN),
            spared=2,
        ),
        Column(
            "trigger",
            lambda order, _: _plain(prices(order) or "-"),
            lambda order: (order.token_in, order.token_out, prices(order) or ""),
            width=32,
            places=("wide",),
        ),
        Column("age", _age, attrgetter("created_at"), width=5, places=("active",), right=True, spared=6),
        Column("ended", _ended, attrgetter("updated_at"), width=5, places=("ended",), right=True, spared=6),
        Column("parent", _parent, lambda order: str(above(order) or ""), width=SHORT_ID),
        Column("account", lambda order, _: _plain(order.account or "-"), lambda order: order.account or "", width=12),
    )
}
"""All columns by name, in their default order."""
