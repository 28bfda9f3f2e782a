"""The texts in the cells of tables of orders. A cell consists of texts with roles; the table decides how they look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

from orderctl.display.ids import SHORT_ID
from orderctl.display.resting import above, is_open, prices
from orderctl.display.states import state_of
from orderctl.output.colours import Tone
from orderd.domain.order import FILLED, HELD, IDLE, STAGES, TERMINAL

if TYPE_CHECKING:
    from orderd.domain.trigger import Condition
    from orderd.wire.orders import OrderView

Role = Literal["", "id"] | Tone
Cell = tuple[tuple[str, Role], ...]
"""Texts with their roles."""

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


def sold(order: OrderView) -> str:
    """The sold amount; for an exact output that is not filled yet, its maximum cost, if it is known."""
    if order.amount_in is not None:
        return f"{order.amount_in} {order.token_in}"
    most = order.max_amount_in or order.max_in
    return order.token_in if most is None else f"≤ {most} {order.token_in}"


def state(order: OrderView) -> tuple[str, Tone]:
    """The label of the order's state, and its tone."""
    return state_of(order.status, is_unknown=order.unknown_since is not None)


def plain(text: str) -> Cell:
    return ((text, ""),)


def short_id(order: OrderView, showing: Showing) -> Cell:
    mark = showing.marks.get(order.id, "")
    shown = str(order.id)[: showing.id_width - len(mark)]
    return ((mark, Tone.MUTED), (shown, "id")) if mark else ((shown, "id"),)


def parent(order: OrderView, showing: Showing) -> Cell:
    """The id of its parent or entry order."""
    return plain(str(above(order) or "-")[: showing.id_width])


def stages(order: OrderView, showing: Showing) -> Cell:
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
    if not paid:
        return plain(" " * width)
    from orderctl.display.conditions import distance

    away = distance(order, paid)
    return plain(" " * width) if away is None else distance_bar(away, width)


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
        return plain(_bought(order, f"{prices(order)}, paused" if order.paused else prices(order)))
    from orderctl.display.conditions import awaited, name_of, sides_of, sign, trigger_price
    from orderd.domain.money import format_significant

    if order.slices is not None:
        return (f"→ {order.token_out} ", Tone.MUTED), next_execution(order, showing.now)
    if sides := sides_of(order):
        side_prices = " ".join(f"{sign(side)}{side.price}" for side in sides)
        return ("oco ", Tone.MUTED), (_in_unit(side_prices, sides[0]), "")
    condition = awaited(order)
    fires_at = None if condition is None else trigger_price(order, condition)
    if condition is None or fires_at is None:
        return plain(_bought(order, None if order.status in HELD else prices(order)))
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


def result(order: OrderView, showing: Showing) -> Cell:
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


def price_text(order: OrderView) -> str | None:
    """The average price of its fills, in the unit of the pair; None without a fill."""
    if order.executed_price is None:
        return None
    from orderctl.display.prices import pair_price

    return pair_price(order.token_in, order.token_out, Fraction(order.executed_price))[0]


def price(order: OrderView, _: Showing) -> Cell:
    return plain(price_text(order) or "-")


def created(order: OrderView, showing: Showing) -> Cell:
    return plain(local_time(order.created_at, showing.now))


def age(order: OrderView, showing: Showing) -> Cell:
    return plain(_whole((showing.now - order.created_at).total_seconds()))


def ended(order: OrderView, showing: Showing) -> Cell:
    """When the order ended: the local time, or the date if it was not today."""
    if order.status not in TERMINAL:
        return plain("-")
    at = order.updated_at.astimezone()
    return plain(f"{at:%H:%M}" if at.date() == showing.now.astimezone().date() else f"{at:%m-%d}")


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
