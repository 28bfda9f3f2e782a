"""Converts stored orders to messages: base units become decimal strings, error codes become problems."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from db.accounts import name_of
from db.connection import database
from db.models import Attempt, Fill, Order, OrderEventRow, OrderFailure
from db.terms import terms_of
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import OrderEvent
from orderd.domain.money import LAMPORT_DECIMALS, format_amount, format_price
from orderd.domain.order import ACTIVE, FILLED, LEASED, RESTING, UNFILLED, OrderKind
from orderd.domain.pool_kind import VenueName
from orderd.domain.terms_formatting import formatted_values, price_reads
from orderd.wire.fills import FillView
from orderd.wire.order_detail import CHILDREN_SHOWN, AttemptOutcome, AttemptView, FailureView, OrderDetail
from orderd.wire.orders import OrderView
from orderd.wire.problem import Problem


def executed_price(order: Order) -> str | None:
    """Output tokens for one input token, as filled; None before the fill."""
    if order.filled_in is None or order.filled_out is None:
        return None
    return format_price(order.filled_in, order.decimals_in, order.filled_out, order.decimals_out)


def order_view(order: Order) -> OrderView:
    """The order as clients see it."""
    terms = terms_of(order)
    stored = order.__data__  # faster than column descriptors and keyword arguments
    decimals_in, decimals_out, status = order.decimals_in, order.decimals_out, order.status

    def paid(name: str) -> str | None:
        return None if (amount := stored.get(name)) is None else format_amount(amount, decimals_in)

    def out(name: str) -> str | None:
        return None if (amount := stored.get(name)) is None else format_amount(amount, decimals_out)

    view = formatted_values(terms)
    if terms.amount_in is None:
        view["amount_in"] = paid("filled_in")
    view |= {name: stored.get(name) for name in _AS_STORED}
    view |= {
        "account": name_of(order.account_id),
        "filled_amount_in": paid("filled_in") if terms.is_family else None,
        "next_at": _next_at(order),
        "price_reads": price_reads(terms),
        "best_amount_out": out("best_out"),
        # An attempt is running from the claim until it has certainly failed.
        "attempt": order.failures + (status in LEASED | FILLED),
        "route": order.route or (),
        "quoted_amount_out": out("quoted_amount_out"),
        "min_amount_out": out("min_amount_out"),
        "quoted_amount_in": paid("quoted_amount_in"),
        "max_amount_in": paid("max_amount_in"),
        "amount_out": out("filled_out"),
        "executed_price": executed_price(order),
        "network_fee": None if order.network_fee is None else format_amount(order.network_fee, LAMPORT_DECIMALS),
        "error": _error(order) if status in UNFILLED else None,
    }
    return OrderView.model_validate(view)


_AS_STORED: Final = (
    "id",
    "client_order_id",
    "kind",
    "parent_id",
    "entry_id",
    "paused",
    "triggered_at",
    "cancel_requested",
    "status",
    "seq",
    "due_at",
    "valid_until",
    "venue",
    "pool",
    "signature",
    "unknown_since",
    "created_at",
    "updated_at",
)
"""The members of a view that are columns of the same name."""


def _error(order: Order) -> Problem | None:
    if order.error_code is None:
        return None
    return Problem.of(OrderdError(ErrorCode(order.error_code), order.error_detail or ""), order.id)


def _next_at(order: Order) -> datetime | None:
    is_due = order.kind is OrderKind.TWAP and order.status in RESTING and not order.paused
    return order.looks_from if is_due and order.slice_no < (order.slices or 0) else None


def find(account_id: UUID, ref: str, *, sees_all: bool = False) -> Order:
    """The order with this client order id, this id, or the only one whose id begins with it.

    With ``sees_all`` the orders of other accounts are found too. A client order id of one of these comes after the id,
    because any client may have chosen it.

    Raises OrderdError: ORDER_NOT_FOUND or ORDER_AMBIGUOUS.
    """
    own, first, last = str(account_id), *_id_range(ref)
    rows = Order.raw(
        """
        (SELECT named.* FROM accounts, LATERAL (
            SELECT * FROM orders WHERE account_id = accounts.id AND client_order_id = %s) AS named
         WHERE %s OR accounts.id = %s ORDER BY account_id <> %s, id LIMIT 2)
        UNION ALL
        (SELECT * FROM orders WHERE id BETWEEN %s AND %s AND (%s OR account_id = %s) ORDER BY id LIMIT 2)""",
        *(ref, sees_all, own, own, first, last, sees_all, own),
    ).execute(database)
    found: dict[int, dict[UUID, Order]] = {}
    for order in rows:
        is_own = order.account_id == account_id and order.client_order_id == ref
        found.setdefault(0 if is_own else 1 if first == last == str(order.id) else 2, {})[order.id] = order
    if not found:
        raise OrderdError(ErrorCode.ORDER_NOT_FOUND, f"no order has the id or client order id {ref}")
    order, *others = found[min(found)].values()
    if others:
        raise OrderdError(ErrorCode.ORDER_AMBIGUOUS, f"{order.id} and {others[0].id} are both meant by {ref}")
    return order


def _id_range(prefix: str) -> tuple[str, str]:
    """The first and last UUID that begin with ``prefix``; if none can, a range without an order."""
    digits = prefix.lower().replace("-", "")
    if not digits or len(digits) > 32 or not all(digit in "0123456789abcdef" for digit in digits):
        digits = "f" * 32
    return str(UUID(digits.ljust(32, "0"))), str(UUID(digits.ljust(32, "f")))


def get(account_id: UUID, ref: str, *, sees_all: bool = False) -> OrderDetail:
    """An order with all that has happened to it. Raises OrderdError as ``find`` does."""
    order = find(account_id, ref, sees_all=sees_all)
    attempts = Attempt.select().where(Attempt.order_id == order.id).order_by(Attempt.number)
    family = Order.select(Order.id).where((Order.id == order.id) | (Order.parent_id == order.id))
    fills = Fill.select().where(Fill.order_id.in_(family)).order_by(Fill.at)
    failures = OrderFailure.select().where(OrderFailure.order_id == order.id).order_by(OrderFailure.id)
    return OrderDetail(
        order=order_view(order),
        events=tuple(events_after(order.id, 0)),
        attempts=tuple(attempt_view(attempt, order) for attempt in attempts),
        failures=tuple(_failure_view(failure) for failure in failures),
        fills=tuple(fill_view(fill, order) for fill in fills),
        children=tuple(map(order_view, _below(order))),
    )


def _below(order: Order) -> Iterable[Order]:
    """The orders that execute it, and what follows it."""
    # Two queries, each by its own index: both conditions in one statement would scan all orders.
    children = Order.select().where(Order.parent_id == order.id).order_by(Order.id.desc()).limit(CHILDREN_SHOWN)
    return [*reversed(children), *Order.select().where(Order.entry_id == order.id)]


def attempt_view(attempt: Attempt, order: Order) -> AttemptView:
    """The attempt as clients see it."""
    return AttemptView(
        number=attempt.number,
        signature=attempt.signature,
        venue=VenueName(attempt.venue),
        pool=attempt.pool,
        min_amount_out=format_amount(attempt.min_amount_out, order.decimals_out),
        max_amount_in=None
        if attempt.max_amount_in is None
        else format_amount(attempt.max_amount_in, order.decimals_in),
        last_valid_block_height=attempt.last_valid_block_height,
        sends=attempt.sends,
        outcome=cast("AttemptOutcome", attempt.outcome),
        slot=attempt.slot,
        is_final=not attempt.awaits_finality,
        signed_at=attempt.signed_at,
        settled_at=attempt.settled_at,
    )


def fill_view(fill: Fill, order: Order) -> FillView:
    """The fill of this order, or of one that executes a part of it, as clients see it."""
    sold, bought = order.decimals_in, order.decimals_out
    return FillView(
        order_id=fill.order_id,
        attempt=fill.attempt,
        signature=fill.signature,
        slot=fill.slot,
        at=fill.at,
        amount_in=format_amount(fill.amount_in, sold),
        amount_out=format_amount(fill.amount_out, bought),
        price=format_price(fill.amount_in, sold, fill.amount_out, bought),
        mid=fill.mid,
        pool_fee=None if fill.pool_fee is None else format_amount(fill.pool_fee, sold),
        network_fee=format_amount(fill.network_fee, LAMPORT_DECIMALS),
        rent=None if fill.rent is None else format_amount(fill.rent, LAMPORT_DECIMALS),
        rolled_back_at=fill.rolled_back_at,
    )


def _failure_view(failure: OrderFailure) -> FailureView:
    return FailureView(
        attempt=failure.attempt,
        code=ErrorCode(failure.code),
        detail=failure.detail,
        signature=failure.signature,
        logs=tuple(failure.logs),
        at=failure.at,
    )


def events_after(order_id: UUID, seq: int) -> list[OrderEvent]:
    """The events of an order from ``seq + 1`` on, in order."""
    rows = OrderEventRow.select().where((OrderEventRow.order_id == order_id) & (OrderEventRow.seq > seq))
    return [_event(row) for row in rows.order_by(OrderEventRow.seq)]


def events_by_order(order_ids: Iterable[UUID]) -> dict[UUID, list[OrderEvent]]:
    """All events of each of the orders, in order."""
    found: dict[UUID, list[OrderEvent]] = {order_id: [] for order_id in order_ids}
    rows = OrderEventRow.select().where(OrderEventRow.order_id.in_(list(found)))
    for row in rows.order_by(OrderEventRow.order_id, OrderEventRow.seq):
        found[row.order_id].append(_event(row))
    return found


def _event(row: OrderEventRow) -> OrderEvent:
    return OrderEvent.model_validate(
        {"order_id": row.order_id, "seq": row.seq, "at": row.at, "status": row.status, "data": row.data}
    )


def active(
    order_ids: Sequence[UUID],
    account_id: UUID | None,
    token_in: str | None = None,
    token_out: str | None = None,
    kind: str | None = None,
) -> list[OrderView]:
    """The account's orders that have not ended, oldest first; optionally of a pair, by symbols, and of a kind.

    Without an account, the orders of all accounts.
    """
    query = Order.select().where(Order.id.in_(list(order_ids)) & Order.status.in_(list(ACTIVE))).order_by(Order.id)
    if account_id is not None:
        query = query.where(Order.account_id == account_id)
    if token_in is not None:
        query = query.where(Order.token_in == token_in)
    if token_out is not None:
        query = query.where(Order.token_out == token_out)
    if kind is not None:
        query = query.where(Order.kind == kind)
    return [order_view(order) for order in query]
