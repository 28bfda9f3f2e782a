"""A fill is stored with its order's confirmation, and counts until the chain rolls it back."""

from dataclasses import replace
from importlib import import_module
from typing import Any, Final

import pytest
from peewee import IntegrityError

from db import finality, journal
from db.connection import database
from db.journal import AttemptEnd, Change, NewAttempt
from db.leases import LiveAttempt
from db.models import DEFAULT_ACCOUNT, Fill, Order
from orderd.domain.events import Routed, Submitted
from orderd.domain.order import OrderKind, OrderStatus
from orderd.engine import views
from tests.integration.orders import FILL, LEAST, built, claimed, new_order, pending, route, sign
from tests.samples.orders import FILL as CONFIRMED
from tests.samples.orders import METEORA as QUOTED

MIGRATION: Final[Any] = import_module("db.migrations.0021_fills")

pytestmark = pytest.mark.usefixtures("connection")


def confirm(order: Order, signature: str, *, rent: str | None = None, awaits_finality: bool = False) -> Order:
    end = AttemptEnd("landed", CONFIRMED.slot, 1, awaits_finality)
    fact = CONFIRMED.model_copy(update={"signature": signature, "rent": rent})
    (moved,) = journal.apply([Change(order.id, fact, order.version, FILL, attempt_end=end)])
    return moved.order


def fills() -> list[Fill]:
    return list(Fill.select().order_by(Fill.at))


def test_a_fill_stores_amounts_costs_and_quoted_prices() -> None:
    order = built()
    attempt = NewAttempt(1, "sig", b"signed", 150, QUOTED.venue, QUOTED.pool, LEAST, 0, 3_750_000, "101.6")
    submitted = Submitted(attempt=1, signature="sig", last_valid_block_height=150)
    (moved,) = journal.apply([Change(order.id, submitted, order.version, {"signature": "sig"}, new_attempt=attempt)])
    confirmed = confirm(moved.order, "sig", rent="0.00203928")
    (fill,) = fills()
    assert fill.__data__ == {
        "order_id": order.id,
        "attempt": 1,
        "signature": "sig",
        "slot": CONFIRMED.slot,
        "at": confirmed.updated_at,
        "amount_in": 1_500_000_000,
        "amount_out": 152_310_211,
        "network_fee": 5_000,
        "rent": 2_039_280,
        "pool_fee": 3_750_000,
        "mid": "101.6",
        "rolled_back_at": None,
    }


def test_a_refused_confirmation_stores_no_fill() -> None:
    live = sign(built(), "sig")
    below = {**FILL, "filled_out": LEAST - 1}
    change = Change(live.order.id, CONFIRMED, 1, below, attempt_end=AttemptEnd("landed", 9, 1))
    assert isinstance(journal.apply_each([change])[0], IntegrityError)
    late = Change(live.order.id, CONFIRMED, 0, FILL, attempt_end=AttemptEnd("landed", 9, 1))
    assert journal.apply([late]) == [], "another worker has the claim"
    assert fills() == []


def test_several_orders_have_their_own_fills() -> None:
    lives = [sign(built(), signature) for signature in ("one", "other")]
    journal.apply([_confirmation(each) for each in lives])
    assert {fill.order_id: fill.signature for fill in fills()} == {each.order.id: each.signature for each in lives}


def _confirmation(live: LiveAttempt) -> Change:
    fact = CONFIRMED.model_copy(update={"signature": live.signature})
    return Change(live.order.id, fact, live.order.version, FILL, attempt_end=AttemptEnd("landed", 9, 1))


def test_a_child_has_a_fill_and_its_parent_reports_it() -> None:
    parent = pending(kind=OrderKind.TWAP)
    (child,) = journal.accept([replace(new_order(), parent_id=parent)])
    (claimed_child,) = journal.claim([child.order.id], "worker-a", 15)
    confirm(sign(route(claimed_child.order), "sig").order, "sig")
    journal.apply([Change(parent, CONFIRMED, None, FILL | {"signature": "sig"}, to=OrderStatus.CONFIRMED)])
    (fill,) = views.get(DEFAULT_ACCOUNT, str(parent)).fills
    assert fill.order_id == child.order.id
    assert Fill.select().count() == 1, "the parent must not have a fill of its own"


def test_a_rolled_back_fill_stays_marked_and_the_next_one_counts() -> None:
    live = sign(built(), "sig")
    confirm(live.order, "sig", awaits_finality=True)
    (undone,) = finality.roll_back(finality.awaiting(1))
    confirm(undone.order, "sig")
    taken_back, counts = fills()
    assert (taken_back.rolled_back_at, counts.rolled_back_at) == (undone.order.updated_at, None)


def test_the_database_refuses_a_second_valid_fill() -> None:
    order = confirm(sign(built(), "sig").order, "sig")
    with pytest.raises(IntegrityError, match="fills_order_id"):
        database.execute_sql(
            """
            INSERT INTO fills (order_id, attempt, signature, at, amount_in, amount_out, network_fee)
            VALUES (%s, 2, 'other', now(), 1, 1, 5000)""",
            (str(order.id),),
        )


@pytest.mark.parametrize(
    ("fee", "token", "pool_fee"),
    [("0.00375", "SOL", 3_750_000), ("0.38026", "USDC", 3_750_000)],
    ids=["sold", "bought"],
)
def test_the_migration_creates_fills_of_earlier_orders(fee: str, token: str, pool_fee: int) -> None:
    order = claimed()
    routed = Routed(
        chosen=QUOTED.model_copy(update={"fee": fee, "fee_token": token}), quotes=(QUOTED,), min_amount_out="151"
    )
    columns = {"quoted_amount_out": 152_104_000, "min_amount_out": LEAST}
    (moved,) = journal.apply([Change(order.id, routed, order.version, columns)])
    confirm(sign(moved.order, "sig").order, "sig", rent="0.00203928")
    confirm(sign(built(), "bare").order, "bare")
    sign(built(), "in flight")
    before = [fill.__data__ for fill in fills()]

    database.execute_sql("DELETE FROM order_events WHERE order_id = %s", (str(before[1]["order_id"]),))
    database.execute_sql(MIGRATION.DOWN)
    database.execute_sql(MIGRATION.UP)
    whole, bare = (fill.__data__ for fill in fills())
    assert whole == before[0] | {"pool_fee": pool_fee}
    assert bare == before[1] | {"rent": None}, "an order whose events were removed"
