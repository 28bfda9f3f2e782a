"""Settlement ends an attempt only on the chain's own evidence, and takes up what lost workers left behind."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from peewee import OperationalError

from db import journal
from db.connection import database
from db.journal import Moved
from db.models import Attempt, Order, OrderFailure
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Confirmed, Retrying
from orderd.domain.order import OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.engine import views
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.settlement import Settlement
from orderd.solana.rpc import RpcTransportError
from orderd.solana.rpc_types import SignatureStatus
from orderd.solana.sender import Sender
from tests.integration.engine.conftest import WALLET, ScriptedSender, signature
from tests.integration.orders import built, lapse, read, sign

EXPIRES_AT = 150


class Clock:
    """Seconds that pass only when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settle(sender: ScriptedSender, publisher: Publisher, clock: Clock) -> Callable[[str], Settlement]:
    """The settlement of a worker process."""

    return lambda owner: settlement_of(sender, publisher, Leases(owner, 15.0), clock)


def settlement_of(sender: ScriptedSender, publisher: Publisher, leases: Leases, clock: Clock) -> Settlement:
    return Settlement(
        cast("Sender", sender),
        publisher,
        RetryPolicy(max_attempts=3, base_ms=1_000),
        leases,
        wallet=WALLET,
        resend_seconds=1.0,
        clock=clock,
    )


@pytest.fixture
def settlement(settle: Callable[[str], Settlement]) -> Settlement:
    """Worker A's, which holds one live attempt with ``signature(1)``."""
    settlement = settle("worker-a")
    settlement.track(sign(built("worker-a"), signature(1), last_valid_block_height=EXPIRES_AT))
    return settlement


def the_order() -> Order:
    order: Order = Order.get()
    return order


def test_a_landed_swap_is_confirmed_with_what_the_balances_say(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.land(signature(1), bought=152_400_001)
    assert settlement.run_once() == 1
    order = the_order()
    assert (order.status, order.filled_in, order.filled_out) == (OrderStatus.CONFIRMED, 1_500_000_000, 152_400_001)
    event = views.events_after(order.id, 4)[0].data
    assert isinstance(event, Confirmed)
    assert (event.amount_in, event.amount_out, event.executed_price) == ("1.5", "152.400001", "101.600001")
    assert (event.network_fee, event.slot) == ("0.000005", 9)
    assert len(settlement) == 0


def test_a_status_without_its_transaction_is_asked_for_again(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.land(signature(1))
    held_back = sender.transactions.pop(signature(1))
    assert settlement.run_once() == 0
    assert the_order().status is OrderStatus.SUBMITTED
    sender.transactions[signature(1)] = held_back
    assert settlement.run_once() == 1


def test_a_processed_status_is_not_yet_an_end(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.statuses[signature(1)] = SignatureStatus(slot=9, err=None, confirmation_status="processed")
    sender.block_height = EXPIRES_AT + 100
    assert settlement.run_once() == 0
    assert the_order().status is OrderStatus.SUBMITTED


def test_a_failure_is_no_end_while_its_block_can_be_rolled_back(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.final_at = "finalized"
    sender.land(signature(1), err="ProgramFailedToComplete")
    assert settlement.run_once() == 0
    assert (the_order().status, the_order().failures) == (OrderStatus.SUBMITTED, 0)
    sender.land(signature(1))
    assert settlement.run_once() == 1, "the fork that won is one on which the same bytes succeed"
    assert the_order().status is OrderStatus.CONFIRMED


def test_a_failure_in_a_finalized_block_is_an_end(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.final_at = "finalized"
    sender.land(signature(1), err="ProgramFailedToComplete")
    sender.statuses[signature(1)] = replace(sender.statuses[signature(1)], confirmation_status="finalized")
    assert settlement.run_once() == 1
    assert (the_order().status, the_order().failures) == (OrderStatus.PENDING, 1)


def test_a_status_and_a_transaction_of_two_forks_are_no_end(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.land(signature(1), err="ProgramFailedToComplete")
    sender.statuses[signature(1)] = SignatureStatus(slot=10, err=None, confirmation_status="confirmed")
    assert settlement.run_once() == 0
    assert the_order().status is OrderStatus.SUBMITTED


@pytest.mark.parametrize(
    ("block_height", "is_current"),
    [(EXPIRES_AT, True), (EXPIRES_AT + 1, False), (EXPIRES_AT - 100, True)],
    ids=["the last valid height", "an answer older than the height", "long before"],
)
def test_not_found_is_no_proof(
    settlement: Settlement, sender: ScriptedSender, block_height: int, is_current: bool
) -> None:
    sender.block_height, sender.is_current = block_height, is_current
    assert settlement.run_once() == 0
    assert the_order().status is OrderStatus.SUBMITTED


def test_an_outage_is_no_proof(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.outage = RpcTransportError("connection refused")
    sender.block_height = EXPIRES_AT + 1
    with pytest.raises(RpcTransportError):
        settlement.run_once()
    assert the_order().status is OrderStatus.SUBMITTED
    assert len(settlement) == 1


def test_not_found_by_a_node_that_has_forgotten_is_no_proof(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.block_height, sender.history_from = EXPIRES_AT + 500_000, EXPIRES_AT + 1
    assert settlement.run_once() == 0
    assert the_order().status is OrderStatus.SUBMITTED
    sender.history_from = 0
    assert settlement.run_once() == 1


def test_a_proven_expiry_is_tried_again(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.block_height = EXPIRES_AT + 1
    assert settlement.run_once() == 1
    order = the_order()
    assert (order.status, order.failures) == (OrderStatus.PENDING, 1)
    assert Attempt.get().outcome == "expired"
    assert OrderFailure.get().code == ErrorCode.TX_EXPIRED
    assert isinstance(views.events_after(order.id, 4)[0].data, Retrying)


def test_a_failure_is_stored_whatever_is_in_its_reason(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.land(signature(1), err="a\0b\x1b[31m")
    assert settlement.run_once() == 1
    assert "a\ufffdb\ufffd[31m" in OrderFailure.get().detail


def test_a_landed_failure_keeps_its_reason_and_logs(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.land(signature(1), err="ProgramFailedToComplete")
    assert settlement.run_once() == 1
    failure = OrderFailure.get()
    assert (failure.code, failure.signature, failure.logs) == (ErrorCode.TX_FAILED, signature(1), ["log"])
    assert (Attempt.get().outcome, Attempt.get().slot) == ("failed", 9)


def test_insufficient_funds_are_not_tried_again(settlement: Settlement, sender: ScriptedSender) -> None:
    sender.land(signature(1), err="InsufficientFundsForFee")
    assert settlement.run_once() == 1
    order = the_order()
    assert (order.status, order.error_code) == (OrderStatus.FAILED, ErrorCode.FUNDS_INSUFFICIENT)


def test_the_same_bytes_are_sent_again_until_they_land(
    settlement: Settlement, sender: ScriptedSender, clock: Clock
) -> None:
    for clock.now in (0.5, 1.0, 1.5, 2.0):
        settlement.run_once()
    assert sender.sent == [b"signed", b"signed"]
    sender.land(signature(1))
    clock.now = 3.0
    settlement.run_once()
    assert sender.sent == [b"signed", b"signed"]
    assert Attempt.get().sends == 3


def test_what_a_lost_worker_had_signed_is_adopted_and_sent(
    settle: Callable[[str], Settlement], sender: ScriptedSender, clock: Clock
) -> None:
    order = sign(built("worker-a"), signature(1)).order
    other = settle("worker-b")
    other.run_once()
    assert len(other) == 0, "worker A still holds it"
    lapse(order.id)
    clock.now += 15
    other.run_once()
    assert sender.sent == [b"signed"], "whether A ever sent it is not known"
    sender.land(signature(1))
    assert other.run_once() == 1
    assert the_order().status is OrderStatus.CONFIRMED


def test_two_holders_of_one_attempt_confirm_it_once(
    settlement: Settlement, settle: Callable[[str], Settlement], sender: ScriptedSender
) -> None:
    lapse(the_order().id)
    other = settle("worker-b")
    sender.land(signature(1))
    assert other.run_once() == 1
    assert settlement.run_once() == 0, "its claim is void"
    assert len(settlement) == 0
    assert [event.seq for event in views.events_after(the_order().id, 0)] == [1, 2, 3, 4, 5]


def test_a_slow_turn_settles_under_the_claim_by_which_its_own_process_has_adopted_it_meanwhile(
    settle: Callable[[str], Settlement], sender: ScriptedSender
) -> None:
    signed = sign(built("worker-a"), signature(1))
    settlement = settle("worker-a")
    lapse(signed.order.id)
    settlement.run_once()
    assert len(settlement) == 1
    settlement.track(signed)
    sender.land(signature(1))
    assert settlement.run_once() == 1
    assert the_order().status is OrderStatus.CONFIRMED


def test_what_is_settled_is_held_no_more_however_often_it_was_taken_up(
    sender: ScriptedSender, publisher: Publisher, clock: Clock
) -> None:
    leases = Leases("worker-a", 15.0)
    settlement = settlement_of(sender, publisher, leases, clock)
    settlement.track(sign(built("worker-a"), signature(1)))
    lapse(the_order().id)
    clock.now += 15
    settlement.run_once()
    sender.land(signature(1), err="ProgramFailedToComplete")
    assert settlement.run_once() == 1
    database.execute_sql("UPDATE orders SET due_at = now()")
    assert journal.claim([the_order().id], "worker-a", 15)
    assert leases.renew_once() == 0, "a claim of which nobody holds anything would never lapse"


def test_what_landed_and_shows_no_trade_stays_submitted_and_does_not_hold_up_the_others(
    settlement: Settlement, sender: ScriptedSender
) -> None:
    other = sign(built("worker-a"), signature(2), last_valid_block_height=EXPIRES_AT)
    settlement.track(other)
    sender.land(signature(1))
    sender.land(signature(2))
    sender.transactions[signature(1)] = replace(sender.transactions[signature(1)], tokens=())
    assert settlement.run_once() == 1
    assert [order.status for order in Order.select().order_by(Order.id)] == [
        OrderStatus.SUBMITTED,
        OrderStatus.CONFIRMED,
    ]
    assert len(settlement) == 0, "it comes back when its lease has run out"


def test_what_landed_and_cannot_be_read_does_not_hold_up_the_expired(
    settlement: Settlement, sender: ScriptedSender
) -> None:
    settlement.track(sign(built("worker-a"), signature(2), last_valid_block_height=EXPIRES_AT + 10))
    sender.land(signature(2))
    sender.unreadable = RpcTransportError("getTransaction: the result has another shape than documented")
    sender.block_height = EXPIRES_AT + 1
    assert settlement.run_once() == 1
    sender.unreadable = None
    assert settlement.run_once() == 1
    assert {order.status for order in Order.select()} == {OrderStatus.PENDING, OrderStatus.CONFIRMED}


def test_while_nothing_can_be_stored_the_others_are_sent_again(
    settlement: Settlement, sender: ScriptedSender, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> list[Moved]:
        raise OperationalError("server closed the connection unexpectedly")

    settlement.track(sign(built("worker-a"), signature(2)))
    sender.land(signature(1))
    monkeypatch.setattr(journal, "apply", away)
    clock.now = 1.0
    with pytest.raises(OperationalError):
        settlement.run_once()
    assert sender.sent == [b"signed"]
    monkeypatch.undo()
    assert settlement.run_once() == 1


def test_one_outcome_that_cannot_be_stored_does_not_hold_up_the_others(
    settlement: Settlement, sender: ScriptedSender
) -> None:
    other = sign(built("worker-a"), signature(2), last_valid_block_height=EXPIRES_AT)
    settlement.track(other)
    sender.land(signature(1), bought=1)
    sender.land(signature(2))
    assert settlement.run_once() == 1
    assert read(other.order.id).status is OrderStatus.CONFIRMED
