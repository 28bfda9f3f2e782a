"""Orders that are brought into a given state through the journal."""

from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from db import journal
from db.audit import Actor
from db.connection import database
from db.journal import Change, NewAttempt, NewOrder
from db.leases import LiveAttempt
from db.models import DEFAULT_ACCOUNT, Order
from orderd.domain.events import Routed, Submitted
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import registry_of
from tests.samples.orders import METEORA as QUOTED

LEAST = 151_000_000
FILL = {"filled_in": 1_500_000_000, "filled_out": 152_310_211, "network_fee": 5_000}


def new_order(client_order_id: str | None = None, amount_in: int | None = 1_500_000_000, **others: Any) -> NewOrder:
    """``others`` are parsed terms; an order with an ``exact_out`` has no ``amount_in``."""
    amount_in = None if "exact_out" in others else amount_in
    order_id = uuid7()
    return NewOrder(
        id=order_id,
        account_id=DEFAULT_ACCOUNT,
        client_order_id=client_order_id or str(order_id),
        terms=OrderTerms(*registry_of("simnet").pair("SOL", "USDC"), amount_in, slippage_bps=50, **others),
        by=Actor("tests"),
    )


def pending(**terms: Any) -> UUID:
    (moved,) = journal.accept([new_order(**terms)])
    return moved.order.id


def held(entry_id: UUID) -> UUID:
    """An exit order that is held until this entry is filled."""
    (moved,) = journal.accept_exits([(entry_id, DEFAULT_ACCOUNT, new_order(then_stop_price="120").terms)])
    return moved.order.id


def claimed(owner: str = "worker-a", lease_seconds: float = 15.0) -> Order:
    (moved,) = journal.claim([pending()], owner, lease_seconds)
    return moved.order


def built(owner: str = "worker-a") -> Order:
    return route(claimed(owner))


def route(order: Order) -> Order:
    """Store a route for a claimed order."""
    fact = Routed(chosen=QUOTED, quotes=(QUOTED,), min_amount_out="151")
    columns = {
        "venue": QUOTED.venue,
        "pool": QUOTED.pool,
        "quoted_amount_out": 152_104_000,
        "min_amount_out": 151_000_000,
    }
    (moved,) = journal.apply([Change(order.id, fact, order.version, columns)])
    return moved.order


def sign(order: Order, signature: str, last_valid_block_height: int = 150) -> LiveAttempt:
    """Store a signed attempt of a built order."""
    number = order.failures + 1
    slot = last_valid_block_height - 150
    attempt = NewAttempt(
        number, signature, b"signed", last_valid_block_height, QUOTED.venue, QUOTED.pool, 151_000_000, slot
    )
    fact = Submitted(attempt=number, signature=signature, last_valid_block_height=last_valid_block_height)
    change = Change(order.id, fact, order.version, {"signature": signature}, new_attempt=attempt)
    (moved,) = journal.apply([change])
    return LiveAttempt(moved.order, number, signature, b"signed", last_valid_block_height, LEAST, slot)


def read(order_id: UUID) -> Order:
    order: Order = Order.get_by_id(order_id)
    return order


def lapse(order_id: UUID) -> None:
    """Let the order's lease expire."""
    database.execute_sql("UPDATE orders SET lease_until = now() - interval '1 s' WHERE id = %s", (str(order_id),))
