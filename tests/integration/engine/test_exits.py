"""Exit orders: held from their entry's acceptance, and released once when the entry's fill is final."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from db import balances, finality, journal, resting
from db.connection import database
from db.journal import AttemptEnd, Change, Moved, acceptance
from db.models import DEFAULT_ACCOUNT, Order
from db.terms import terms_of
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Accepted, Cancelled, Expired, Released
from orderd.domain.order import Floor, OrderKind, OrderStatus
from orderd.engine import next_execution, views
from orderd.engine.amendment import Amendments
from orderd.engine.exits import Exits
from orderd.engine.reservation import Reservations
from tests.integration.orders import FILL, new_order, pending, read, route, sign
from tests.samples.orders import FILL as CONFIRMED

pytestmark = pytest.mark.usefixtures("connection")
BOTH: dict[str, Any] = {"then_take_profit_price": "90", "then_stop_price": "120"}
"""Exit prices for an entry that sells SOL: a lower price is a profit."""
CANCELLED, EXPIRED, HELD, OPEN = OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.HELD, OrderStatus.OPEN


@dataclass
class RecordingPublisher:
    published: list[Moved] = field(default_factory=list)

    def publish(self, changes: Sequence[Moved]) -> None:
        self.published += changes


@pytest.fixture
def publisher() -> RecordingPublisher:
    return RecordingPublisher()


@pytest.fixture
def exits(publisher: RecordingPublisher) -> Exits:
    return Exits(publisher)  # type: ignore[arg-type]  # it only remembers


def begun(terms: Mapping[str, Any] = BOTH) -> UUID:
    """An entry that has not ended."""
    return journal.accept([new_order(**terms)])[0].order.id


def bought(order_id: UUID, *, signature: str = "landed", awaits_finality: bool = False) -> Order:
    (claimed,) = journal.claim([order_id], "worker", 15)
    order = sign(route(claimed.order), signature).order
    end = AttemptEnd("landed", 9, sends=1, awaits_finality=awaits_finality)
    (moved,) = journal.apply([Change(order.id, CONFIRMED, order.version, FILL, attempt_end=end)])
    return moved.order


def entry(terms: Mapping[str, Any] = BOTH, *, awaits_finality: bool = False) -> Order:
    return bought(begun(terms), awaits_finality=awaits_finality)


def exit_of(entry_id: UUID) -> Order:
    (follower,) = Order.select().where(Order.entry_id == entry_id)
    return read(follower.id)


def amend(order_id: UUID, **changes: Any) -> Order:
    amendments = Amendments(10_000, Reservations())
    return amendments.amend(DEFAULT_ACCOUNT, str(order_id), changes, new_order().by).order


# Acceptance


def test_an_exit_is_created_with_its_entry_held_and_without_an_amount() -> None:
    first, second = journal.accept([new_order(**BOTH)])
    held = exit_of(first.order.id)
    assert (second.order.id, held.client_order_id) == (held.id, f"{first.order.id}-exit")
    assert (held.status, held.kind, held.amount_in, held.due_at, held.looks_from) == (HELD, OrderKind.OCO, *[None] * 3)
    view = views.order_view(held)
    assert (view.entry_id, view.amount_in) == (first.order.id, None)
    assert view.price_reads == "90 USDC per SOL; or 120 USDC per SOL"
    (event,) = views.events_after(held.id, 0)
    assert isinstance(event.data, Accepted)
    assert event.status is HELD


def test_an_order_without_exit_prices_and_a_resubmitted_one_get_no_exit() -> None:
    new = new_order(**BOTH)
    assert [len(journal.accept([new])) for _ in range(2)] == [2, 0]
    assert len(journal.accept([new_order(), new_order(**BOTH)])) == 3


def test_a_crash_during_acceptance_leaves_both_orders_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> list[Moved]:
        raise RuntimeError("the process ends here")

    monkeypatch.setattr(acceptance, "accept_exits", crash)
    with pytest.raises(RuntimeError):
        begun()
    assert not Order.select().exists()


def test_a_held_exit_is_not_evaluated_and_reserves_nothing() -> None:
    begun()
    assert resting.pairs() == set()
    assert balances.spendings() == []
    assert balances.open_of_key(None) == 0


# Release


def test_an_exit_that_cannot_be_released_does_not_block_others(exits: Exits, publisher: RecordingPublisher) -> None:
    bad, good = exit_of(entry().id), exit_of(bought(begun(), signature="landed too").id)
    database.execute_sql("ALTER TABLE orders ADD CHECK (id <> %s OR status <> 'open')", (str(bad.id),))
    assert exits.run_once() == 1
    assert (read(bad.id).status, read(good.id).status) == (HELD, OPEN)
    assert [each.order.id for each in publisher.published] == [good.id]


def test_an_exit_is_released_once_and_sells_the_received_amount(exits: Exits, publisher: RecordingPublisher) -> None:
    first = entry()
    assert (exits.run_once(), exits.run_once()) == (1, 0)
    follower = exit_of(first.id)
    assert (follower.status, follower.waits_for) == (OPEN, None)
    assert (follower.mint_in, follower.mint_out, follower.amount_in) == (
        first.mint_out,
        first.mint_in,
        FILL["filled_out"],
    )
    assert [each.event.data for each in publisher.published] == [Released(entry=first.id, amount_in="152.310211")]
    assert balances.spendings() != []


@pytest.mark.parametrize(
    ("given", "kind", "floor"),
    [
        (BOTH, OrderKind.OCO, Floor.EACH),
        ({"then_take_profit_price": "90"}, OrderKind.TAKE_PROFIT, Floor.EACH),
        ({"then_stop_price": "120"}, OrderKind.STOP, Floor.EACH),
    ],
)
def test_the_kind_of_an_exit_follows_from_its_prices(
    exits: Exits, given: dict[str, str], kind: OrderKind, floor: Floor
) -> None:
    follower = terms_of(exit_of(entry(given).id))
    assert (follower.kind, follower.floor) == (kind, floor)
    assert (follower.take_profit_price, follower.stop_price) == (
        given.get("then_take_profit_price"),
        given.get("then_stop_price"),
    )
    assert follower.max_slippage_bps == (None if kind is OrderKind.TAKE_PROFIT else 500)


def test_an_exit_is_not_released_before_the_fill_is_final(exits: Exits) -> None:
    first = entry(awaits_finality=True)
    assert (exits.run_once(), exit_of(first.id).status) == (0, HELD)
    finality.settle(["landed"])
    assert (exits.run_once(), exit_of(first.id).status) == (1, OPEN)


def test_a_rolled_back_fill_releases_no_exit(exits: Exits) -> None:
    first = entry(awaits_finality=True)
    finality.roll_back(finality.awaiting(1))
    assert (exits.run_once(), exit_of(first.id).status) == (0, HELD)


def test_an_entry_of_a_version_without_held_exits_gets_its_exit_at_the_fill(exits: Exits) -> None:
    first = entry()
    database.execute_sql("DELETE FROM order_events WHERE order_id = %s", (str(exit_of(first.id).id),))
    database.execute_sql("DELETE FROM orders WHERE entry_id = %s", (str(first.id),))
    assert exits.run_once() == 2
    assert (exit_of(first.id).status, exit_of(first.id).amount_in) == (OPEN, FILL["filled_out"])


def test_a_crash_during_release_leaves_all_or_nothing(exits: Exits, monkeypatch: pytest.MonkeyPatch) -> None:
    first = entry()

    def crash(*_: object) -> list[Moved]:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr("orderd.engine.exits.journal.apply", crash)
        with pytest.raises(RuntimeError):
            exits.run_once()
    assert (read(first.id).exit_made, exit_of(first.id).status) == (False, HELD)
    assert exits.run_once() == 1


# Entries without a fill


def test_an_exit_ends_as_its_unfilled_entry_did(exits: Exits) -> None:
    withdrawn, late = begun(), begun()
    journal.apply([Change(withdrawn, Cancelled(), None)])
    columns = {"error_code": "ORDER_EXPIRED", "error_detail": "late"}
    journal.apply([Change(late, Expired(detail="late"), None, columns)])
    assert (exits.run_once(), exits.run_once()) == (2, 0)
    assert [exit_of(each).status for each in (withdrawn, late)] == [CANCELLED, EXPIRED]
    assert str(late) in (exit_of(late).error_detail or "")
    assert read(withdrawn).exit_made


def test_an_order_without_an_exit_is_skipped(exits: Exits) -> None:
    order_id: UUID = pending()
    journal.apply([Change(order_id, Cancelled(), None)])
    assert exits.run_once() == 0
    assert not read(order_id).exit_made


# Cancel and amend


def test_a_cancelled_exit_is_not_released(exits: Exits) -> None:
    order_id = begun()
    assert journal.apply([Change(exit_of(order_id).id, Cancelled(), None)])
    bought(order_id)
    assert (exits.run_once(), exit_of(order_id).status) == (0, CANCELLED)
    assert read(order_id).exit_made


def test_a_held_exit_is_released_with_its_amended_terms(exits: Exits) -> None:
    order_id = begun()
    amended = amend(exit_of(order_id).id, stop_price="125", max_slippage="3")
    assert (amended.status, amended.stop_price, amended.take_profit_price) == (HELD, "125", "90")
    bought(order_id)
    exits.run_once()
    follower = exit_of(order_id)
    assert (follower.status, follower.stop_price, follower.max_slippage_bps) == (OPEN, "125", 300)
    assert follower.amount_in == FILL["filled_out"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_in": "1"}, ErrorCode.ORDER_NOT_AMENDABLE),
        ({"valid_for": "1h"}, ErrorCode.ORDER_NOT_AMENDABLE),
        ({"paused": True}, ErrorCode.ORDER_NOT_AMENDABLE),
        ({"stop_price": "no"}, ErrorCode.PRICE_INVALID),
    ],
)
def test_invalid_amendments_of_a_held_exit_are_refused(changes: dict[str, Any], code: ErrorCode) -> None:
    held = exit_of(begun())
    with pytest.raises(OrderdError) as refused:
        amend(held.id, **changes)
    assert refused.value.code is code
    assert (read(held.id).seq, read(held.id).status) == (1, HELD)


def test_exit_prices_are_checked_against_the_market() -> None:
    order_id = begun()
    amendments = Amendments(10_000, Reservations())
    terms = amendments.terms(DEFAULT_ACCOUNT, str(exit_of(order_id).id), {"stop_price": "125"})
    assert (terms.amount_in, terms.then_stop_price, terms.then_take_profit_price) == (1_500_000_000, "125", "90")


def test_an_entry_and_its_exit_name_each_other() -> None:
    order_id = begun()
    (child,) = views.get(DEFAULT_ACCOUNT, str(order_id)).children
    assert (child.id, child.entry_id, child.status) == (exit_of(order_id).id, order_id, OrderStatus.HELD)
    (accepted,) = views.events_after(child.id, 0)
    assert isinstance(accepted.data, Accepted)
    assert accepted.data.entry_id == order_id


def test_a_held_exit_cannot_be_simulated() -> None:
    with pytest.raises(OrderdError) as refused:
        next_execution.find(DEFAULT_ACCOUNT, str(exit_of(begun()).id))
    assert refused.value.code is ErrorCode.ORDER_HELD
