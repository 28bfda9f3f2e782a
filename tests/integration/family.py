"""Families of orders: parents, and children that are brought to their ends through the journal."""

from datetime import datetime
from typing import Any
from uuid import UUID

from db import finality, journal
from db.connection import database
from db.journal import AttemptEnd, Change, FailureRecord
from db.leases import LiveAttempt
from db.models import Order
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Failed
from orderd.domain.order import CatchUp, OrderKind, TimeInForce
from orderd.engine import views
from tests.integration.orders import new_order, read, route, sign
from tests.samples.orders import FILL as CONFIRMED

SOL = 10**9
USDC = 10**6
_LATE_SECONDS = 20.0


def accepted(**terms: Any) -> UUID:
    """A resting parent; ``amount_in`` and other terms are parsed values."""
    (moved,) = journal.accept([new_order(**terms)])
    return moved.order.id


def oco(take_profit: str = "105", stop: str = "95", **terms: Any) -> UUID:
    prices = {"take_profit_price": take_profit, "stop_price": stop}
    return accepted(kind=OrderKind.OCO, amount_in=SOL, confirm=1, max_slippage_bps=500, **prices, **terms)


def twap(slices: int = 4, every_seconds: int = 60, catch_up: CatchUp = CatchUp.ONE, **terms: Any) -> UUID:
    amount = terms.pop("amount_in", 4 * SOL)
    given = {"slices": slices, "every_seconds": every_seconds, "catch_up": catch_up}
    return accepted(kind=OrderKind.TWAP, amount_in=amount, **given, **terms)


def in_parts(amount_in: int = 10 * SOL, min_fill_bps: int = 1_000, **terms: Any) -> UUID:
    given = {"limit_price": "105", "time_in_force": TimeInForce.GTC, "partial": True, "min_fill_bps": min_fill_bps}
    return accepted(kind=OrderKind.LIMIT, amount_in=amount_in, **given, **terms)


def children(parent_id: UUID) -> list[Order]:
    """All children ever created, in order."""
    return list(Order.select().where(Order.parent_id == parent_id).order_by(Order.id))


def signed(child_id: UUID) -> LiveAttempt:
    """Take a due child as far as its signature."""
    (claimed,) = journal.claim([child_id], "worker-a", 15)
    return sign(route(claimed.order), f"sig {child_id} {claimed.order.failures}")


def landed(live: LiveAttempt, amount_out: int, *, is_final: bool = True) -> None:
    """Record that the whole amount of the child was sold for ``amount_out``."""
    order = live.order
    columns = {"filled_in": order.amount_in, "filled_out": amount_out, "network_fee": 5_000}
    end = AttemptEnd("landed", 9, sends=1, awaits_finality=not is_final)
    fact = CONFIRMED.model_copy(update={"signature": live.signature})
    assert journal.apply([Change(order.id, fact, order.version, columns, attempt_end=end)])


def sold(child_id: UUID, amount_out: int = 160 * USDC) -> None:
    landed(signed(child_id), amount_out)


def failed(child_id: UUID, code: ErrorCode = ErrorCode.ROUTE_BELOW_FLOOR) -> None:
    (claimed,) = journal.claim([child_id], "worker-a", 15)
    order, fact = claimed.order, Failed(attempt=1, code=code, detail="no")
    columns = {"failures": 1, "error_code": str(code), "error_detail": "no"}
    assert journal.apply([Change(order.id, fact, order.version, columns, failure=FailureRecord(1, code, "no"))])


def taken_for_dead(live: LiveAttempt) -> None:
    """Record that an operator declared the child's transaction dead, although it may have landed."""
    order, code = live.order, ErrorCode.TX_ABANDONED
    fact = Failed(attempt=live.number, code=code, detail="ann declared it dead")
    columns = {"failures": live.number, "error_code": str(code), "error_detail": fact.detail}
    end = AttemptEnd("abandoned", None, sends=1)
    failure = FailureRecord(live.number, code, fact.detail, live.signature)
    assert journal.apply([Change(order.id, fact, order.version, columns, attempt_end=end, failure=failure)])


def make_final(child_id: UUID) -> None:
    finality.settle([views.get(read(child_id).account_id, str(child_id)).attempts[-1].signature])


def was_due(order_id: UUID, seconds: float) -> datetime:
    """Move the time of the order's next evaluation this many seconds into the past; returns that time."""
    (due,) = database.execute_sql(
        "UPDATE orders SET looks_from = clock_timestamp() - %s * interval '1 second' WHERE id = %s"
        " RETURNING looks_from",
        (seconds, str(order_id)),
    ).fetchone()
    assert isinstance(due, datetime)
    return due


def is_next(order_id: UUID, seconds: float, due: datetime) -> bool:
    """Whether the order is evaluated next this many seconds after ``due``.

    The time between reading a schedule and storing its next time is added to it, and is long on a busy machine.
    """
    at = read(order_id).looks_from
    assert isinstance(at, datetime)
    return abs((at - due).total_seconds() - seconds) < _LATE_SECONDS


def seconds_until(order_id: UUID) -> float:
    """Seconds until the order is evaluated next."""
    (seconds,) = database.execute_sql(
        "SELECT extract(epoch FROM looks_from - clock_timestamp()) FROM orders WHERE id = %s", (str(order_id),)
    ).fetchone()
    return float(seconds)
