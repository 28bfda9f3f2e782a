"""Settlement ends an attempt only on the chain's own evidence, and adopts attempts of lost workers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from peewee import OperationalError

from db import journal
from db.connection import database
from db.journal import Change, Moved, writing
from db.models import Attempt, Order, OrderFailure
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Confirmed, Retrying
from orderd.domain.order import OrderStatus
from orderd.engine import views
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.settlement.outcome import Outcomes
from orderd.solana.rpc import RpcTransportError
from orderd.solana.rpc_types import SignatureStatus
from tests.integration.engine.conftest import ScriptedChain, signature
from tests.integration.engine.settling import Worker, worker_of
from tests.integration.orders import built, lapse, read, sign

EXPIRES_AT = 150


class Clock:
    """A clock that only the test advances."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(chain: ScriptedChain, publisher: Publisher, clock: Clock) -> Callable[[str], Worker]:
    """Start a worker process with this name."""

    return lambda owner: worker_of(chain, publisher, Leases(owner, 15.0), clock)


@pytest.fixture
def worker(start: Callable[[str], Worker]) -> Worker:
    """Worker A, which holds one live attempt with ``signature(1)``."""
    worker = start("worker-a")
    worker.track(sign(built("worker-a"), signature(1), last_valid_block_height=EXPIRES_AT))
    return worker


def the_order() -> Order:
    order: Order = Order.get()
    return order


def test_a_landed_swap_is_confirmed_with_the_balance_changes(worker: Worker, chain: ScriptedChain) -> None:
    chain.land(signature(1), bought=152_400_001)
    assert worker.settle() == 1
    order = the_order()
    assert (order.status, order.filled_in, order.filled_out) == (OrderStatus.CONFIRMED, 1_500_000_000, 152_400_001)
    event = views.events_after(order.id, 4)[0].data
    assert isinstance(event, Confirmed)
    assert (event.amount_in, event.amount_out, event.executed_price) == ("1.5", "152.400001", "101.600001")
    assert (event.network_fee, event.slot) == ("0.000005", 9)
    assert len(worker) == 0


def test_a_status_without_its_transaction_is_requested_again(worker: Worker, chain: ScriptedChain) -> None:
    chain.land(signature(1))
    held_back = chain.transactions.pop(signature(1))
    assert worker.settle() == 0
    assert the_order().status is OrderStatus.SUBMITTED
    chain.transactions[signature(1)] = held_back
    assert worker.settle() == 1


def test_an_attempt_hinted_as_landed_is_settled_with_one_request(worker: Worker, chain: ScriptedChain) -> None:
    chain.land(signature(1))
    worker.live.hint(signature(1))
    assert worker.settle() == 1
    assert the_order().status is OrderStatus.CONFIRMED
    assert (chain.glances, chain.observations) == ([[signature(1)]], 0)


def test_a_hint_alone_decides_nothing(worker: Worker, chain: ScriptedChain) -> None:
    worker.live.hint(signature(1))
    worker.live.hint(signature(2))
    chain.block_height, chain.is_witnessed = EXPIRES_AT + 1, False
    assert worker.settle() == 0
    assert the_order().status is OrderStatus.SUBMITTED
    assert (chain.glances, chain.observations) == ([[signature(1)]], 1), (
        "an attempt that has not landed is checked with all others"
    )
    assert worker.settle() == 0
    assert (len(chain.glances), chain.observations) == (1, 2)


def test_a_hint_of_a_processed_transaction_does_not_end_the_attempt(worker: Worker, chain: ScriptedChain) -> None:
    chain.land(signature(1))
    chain.statuses[signature(1)] = replace(chain.statuses[signature(1)], confirmation_status="processed")
    worker.live.hint(signature(1))
    assert worker.settle() == 0
    assert the_order().status is OrderStatus.SUBMITTED


def test_a_failed_request_after_a_hint_has_no_effect(worker: Worker, chain: ScriptedChain) -> None:
    chain.land(signature(1))
    worker.live.hint(signature(1))
    chain.overloaded = RpcTransportError("too many at once")
    assert worker.settle() == 1
    assert the_order().status is OrderStatus.CONFIRMED


def test_a_processed_status_does_not_end_the_attempt(worker: Worker, chain: ScriptedChain) -> None:
    chain.statuses[signature(1)] = SignatureStatus(slot=9, err=None, confirmation_status="processed")
    chain.block_height = EXPIRES_AT + 100
    assert worker.settle() == 0
    assert the_order().status is OrderStatus.SUBMITTED


def test_a_failure_does_not_end_the_attempt_before_its_block_is_final(worker: Worker, chain: ScriptedChain) -> None:
    chain.final_at = "finalized"
    chain.land(signature(1), err="ProgramFailedToComplete")
    assert worker.settle() == 0
    assert (the_order().status, the_order().failures) == (OrderStatus.SUBMITTED, 0)
    chain.land(signature(1))
    assert worker.settle() == 1, "the same bytes succeed on the winning fork"
    assert the_order().status is OrderStatus.CONFIRMED


def test_a_failure_in_a_finalized_block_ends_the_attempt(worker: Worker, chain: ScriptedChain) -> None:
    chain.final_at = "finalized"
    chain.land(signature(1), err="ProgramFailedToComplete")
    chain.statuses[signature(1)] = replace(chain.statuses[signature(1)], confirmation_status="finalized")
    assert worker.settle() == 1
    assert (the_order().status, the_order().failures) == (OrderStatus.PENDING, 1)


def test_a_status_and_a_transaction_of_two_forks_do_not_end_the_attempt(worker: Worker, chain: ScriptedChain) -> None:
    chain.land(signature(1), err="ProgramFailedToComplete")
    chain.statuses[signature(1)] = SignatureStatus(slot=10, err=None, confirmation_status="confirmed")
    assert worker.settle() == 0
    assert the_order().status is OrderStatus.SUBMITTED


@pytest.mark.parametrize(
    ("block_height", "is_current", "is_witnessed"),
    [
        (EXPIRES_AT, True, True),
        (EXPIRES_AT + 1, False, True),
        (EXPIRES_AT - 100, True, True),
        (EXPIRES_AT + 1, True, False),
        (EXPIRES_AT + 150, True, True),
    ],
    ids=[
        "the last valid height",
        "an answer older than the height",
        "long before",
        "an answer without a witness",
        "an answer so late that nodes may have forgotten",
    ],
)
def test_not_found_is_not_a_proof_of_expiry(
    worker: Worker, chain: ScriptedChain, block_height: int, is_current: bool, is_witnessed: bool
) -> None:
    chain.block_height, chain.is_current, chain.is_witnessed = block_height, is_current, is_witnessed
    assert worker.settle_expired() == 0
    assert the_order().status is OrderStatus.SUBMITTED


def test_an_outage_is_not_a_proof_of_expiry(worker: Worker, chain: ScriptedChain) -> None:
    chain.outage = RpcTransportError("connection refused")
    chain.block_height = EXPIRES_AT + 1
    with pytest.raises(RpcTransportError):
        worker.settle()
    assert the_order().status is OrderStatus.SUBMITTED
    assert len(worker) == 1


def test_the_history_of_a_single_node_proves_a_late_expiry(worker: Worker, chain: ScriptedChain) -> None:
    chain.block_height, chain.history_from = EXPIRES_AT + 500_000, EXPIRES_AT + 1
    assert worker.settle_expired() == 0
    assert the_order().status is OrderStatus.SUBMITTED
    chain.history_from = 0
    assert worker.settle_expired() == 1


def test_an_expiry_is_not_proved_while_the_wallets_history_is_unavailable(worker: Worker, chain: ScriptedChain) -> None:
    chain.block_height = EXPIRES_AT + 1
    chain.unsearchable = RpcTransportError("-32011: Transaction history is not available from this node")
    assert worker.settle_expired() == 0
    assert the_order().status is OrderStatus.SUBMITTED
    chain.unsearchable = None
    assert worker.settle_expired() == 1
    assert the_order().status is OrderStatus.PENDING


def test_an_expiry_is_not_proved_by_an_endpoint_that_leads_to_another_chain(
    worker: Worker, chain: ScriptedChain
) -> None:
    chain.block_height, chain.is_other_chain = EXPIRES_AT + 1, True
    assert worker.settle_expired() == 0
    assert the_order().status is OrderStatus.SUBMITTED
    chain.is_other_chain = False
    assert worker.settle_expired() == 1


def test_a_transaction_in_the_wallets_history_has_landed_whatever_the_status(
    worker: Worker, chain: ScriptedChain
) -> None:
    chain.land(signature(1))
    del chain.statuses[signature(1)]
    chain.paid[the_order().id] = signature(1)
    chain.block_height = EXPIRES_AT + 1
    assert worker.settle() == 1
    assert (the_order().status, the_order().signature) == (OrderStatus.CONFIRMED, signature(1))
    assert (Attempt.get().outcome, Attempt.get().slot) == ("landed", 9)


def test_another_transaction_of_the_order_in_the_wallets_history_is_its_fill(
    worker: Worker, chain: ScriptedChain
) -> None:
    Attempt.update(mid="101.6", pool_fee=3_750_000).execute()
    chain.land(signature(7), bought=152_400_001)
    chain.paid[the_order().id] = signature(7)
    chain.block_height = EXPIRES_AT + 1
    assert worker.settle() == 1
    order = the_order()
    assert (order.status, order.signature, order.filled_out) == (OrderStatus.CONFIRMED, signature(7), 152_400_001)
    (fill,) = views.get(order.account_id, str(order.id)).fills
    assert (fill.signature, fill.slot, fill.amount_out) == (signature(7), 9, "152.400001")
    assert (fill.pool_fee, fill.mid) == (None, None), "its routing decision is unknown"
    assert Attempt.get().outcome == "expired"


def test_a_proved_expiry_is_retried(worker: Worker, chain: ScriptedChain) -> None:
    chain.block_height = EXPIRES_AT + 1
    assert worker.settle_expired() == 1
    order = the_order()
    assert (order.status, order.failures) == (OrderStatus.PENDING, 1)
    assert Attempt.get().outcome == "expired"
    assert OrderFailure.get().code == ErrorCode.TX_EXPIRED
    assert isinstance(views.events_after(order.id, 4)[0].data, Retrying)


def test_one_false_answer_proves_no_expiry(worker: Worker, chain: ScriptedChain) -> None:
    chain.block_height = EXPIRES_AT + 1
    assert worker.settle() == 0
    assert the_order().status is OrderStatus.SUBMITTED
    chain.statuses[signature(1)] = SignatureStatus(slot=9, err=None, confirmation_status="processed")
    assert worker.settle() == 0
    chain.statuses.clear()
    assert worker.settle() == 0, "the answers before and after one that shows it were taken for a proof"
    assert worker.settle() == 1
    assert the_order().status is OrderStatus.PENDING


def test_a_failure_is_stored_with_any_characters_in_its_reason(worker: Worker, chain: ScriptedChain) -> None:
    chain.land(signature(1), err="a\0b\x1b[31m")
    assert worker.settle() == 1
    assert "a\ufffdb\ufffd[31m" in OrderFailure.get().detail


def test_a_landed_failure_keeps_its_reason_and_logs(worker: Worker, chain: ScriptedChain) -> None:
    chain.land(signature(1), err="ProgramFailedToComplete")
    assert worker.settle() == 1
    failure = OrderFailure.get()
    assert (failure.code, failure.signature, failure.logs) == (ErrorCode.TX_FAILED, signature(1), ["log"])
    assert (Attempt.get().outcome, Attempt.get().slot) == ("failed", 9)


def test_insufficient_funds_are_not_retried(worker: Worker, chain: ScriptedChain) -> None:
    chain.land(signature(1), err="InsufficientFundsForFee")
    assert worker.settle() == 1
    order = the_order()
    assert (order.status, order.error_code) == (OrderStatus.FAILED, ErrorCode.FUNDS_INSUFFICIENT)


@pytest.mark.parametrize("asked", ["before", "while it is read"])
def test_a_failed_attempt_cancels_an_order_with_a_requested_cancel(
    worker: Worker, chain: ScriptedChain, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if asked == "before":
        assert journal.request_cancel(the_order().id)
    else:
        outcome = Outcomes.landed

        def late(outcomes: Outcomes, *args: Any, **options: Any) -> Change:
            assert journal.request_cancel(the_order().id)
            return outcome(outcomes, *args, **options)

        monkeypatch.setattr(Outcomes, "landed", late)
    chain.land(signature(1), err="InsufficientFundsForFee")
    assert (worker.settle(), len(worker)) == (1, 0)
    assert journal.claim([the_order().id], "worker-b", 15) == [], "the order was tried again"
    assert [moved.event.status for moved in journal.withdraw(10)] == [OrderStatus.CANCELLED]
    assert (the_order().failures, the_order().error_code) == (1, None)
    assert OrderFailure.get().code == ErrorCode.FUNDS_INSUFFICIENT, "the reason of the failure was lost"


def test_the_same_bytes_are_sent_again_until_they_land(worker: Worker, chain: ScriptedChain, clock: Clock) -> None:
    for clock.now in (0.5, 1.0, 1.5, 2.0):
        worker.settle()
        worker.resend()
    assert chain.sent == [b"signed", b"signed"]
    chain.land(signature(1))
    clock.now = 3.0
    worker.settle()
    worker.resend()
    assert chain.sent == [b"signed", b"signed"]
    assert Attempt.get().sends == 3


def test_bytes_are_sent_again_during_an_outage_of_queries(worker: Worker, chain: ScriptedChain, clock: Clock) -> None:
    chain.outage = RpcTransportError("-32011: Transaction history is not available from this node")
    for clock.now in (1.0, 2.0, 3.0):
        with pytest.raises(RpcTransportError):
            worker.settle()
        worker.resend()
    assert chain.sent == [b"signed"] * 3


def test_a_transaction_that_disappears_from_its_block_is_sent_again(
    worker: Worker, chain: ScriptedChain, clock: Clock
) -> None:
    chain.statuses[signature(1)] = SignatureStatus(slot=9, err=None, confirmation_status="processed")
    for clock.now in (0.9, 1.8, 2.7):
        worker.settle()
        worker.resend()
    assert chain.sent == []
    chain.outage = RpcTransportError("connection refused")
    clock.now = 3.7
    worker.resend()
    assert chain.sent == [b"signed"]


def test_bytes_past_their_expiry_are_sent_less_often(worker: Worker, chain: ScriptedChain, clock: Clock) -> None:
    for clock.now in range(181, 281):
        worker.resend()
    assert 3 <= len(chain.sent) <= 6


def test_a_lost_workers_attempt_is_adopted_and_sent(
    start: Callable[[str], Worker], chain: ScriptedChain, clock: Clock
) -> None:
    order = sign(built("worker-a"), signature(1)).order
    other = start("worker-b")
    other.settle()
    assert len(other) == 0, "worker A still has the lease"
    lapse(order.id)
    clock.now += 15
    other.settle()
    other.resend()
    assert chain.sent == [b"signed"], "worker A may not have sent it"
    chain.land(signature(1))
    assert other.settle() == 1
    assert the_order().status is OrderStatus.CONFIRMED


def test_two_holders_of_one_attempt_confirm_it_once(
    worker: Worker, start: Callable[[str], Worker], chain: ScriptedChain
) -> None:
    lapse(the_order().id)
    other = start("worker-b")
    chain.land(signature(1))
    assert other.settle() == 1
    assert worker.settle() == 0, "a void claim settled the attempt"
    assert len(worker) == 0
    assert [event.seq for event in views.events_after(the_order().id, 0)] == [1, 2, 3, 4, 5]


def test_an_attempt_adopted_by_another_process_is_sent_only_by_it(
    worker: Worker, start: Callable[[str], Worker], chain: ScriptedChain, clock: Clock
) -> None:
    worker.live.renew()
    assert len(worker) == 1
    lapse(the_order().id)
    start("worker-b").settle()
    worker.live.renew()
    assert len(worker) == 0
    clock.now += 15
    worker.resend()
    assert chain.sent == []


def test_a_slow_turn_settles_under_the_claim_of_its_own_process(
    start: Callable[[str], Worker], chain: ScriptedChain
) -> None:
    signed = sign(built("worker-a"), signature(1))
    worker = start("worker-a")
    lapse(signed.order.id)
    worker.settle()
    assert len(worker) == 1
    worker.track(signed)
    chain.land(signature(1))
    assert worker.settle() == 1
    assert the_order().status is OrderStatus.CONFIRMED


def test_a_settled_attempt_is_released_however_often_it_was_adopted(
    chain: ScriptedChain, publisher: Publisher, clock: Clock
) -> None:
    leases = Leases("worker-a", 15.0)
    worker = worker_of(chain, publisher, leases, clock)
    worker.track(sign(built("worker-a"), signature(1)))
    lapse(the_order().id)
    clock.now += 15
    worker.settle()
    chain.land(signature(1), err="ProgramFailedToComplete")
    assert worker.settle() == 1
    database.execute_sql("UPDATE orders SET due_at = now()")
    assert journal.claim([the_order().id], "worker-a", 15)
    assert leases.renew_once() == 0, "an empty claim is renewed"


def test_a_landed_transaction_without_a_trade_stays_submitted_without_delaying_others(
    worker: Worker, chain: ScriptedChain
) -> None:
    other = sign(built("worker-a"), signature(2), last_valid_block_height=EXPIRES_AT)
    worker.track(other)
    chain.land(signature(1))
    chain.land(signature(2))
    chain.transactions[signature(1)] = replace(chain.transactions[signature(1)], tokens=())
    assert worker.settle() == 1
    assert [order.status for order in Order.select().order_by(Order.id)] == [
        OrderStatus.SUBMITTED,
        OrderStatus.CONFIRMED,
    ]
    assert len(worker) == 0, "the attempt is not held until its lease expires"


def test_an_unreadable_landed_transaction_does_not_delay_expired_ones(worker: Worker, chain: ScriptedChain) -> None:
    worker.track(sign(built("worker-a"), signature(2), last_valid_block_height=EXPIRES_AT + 10))
    chain.land(signature(2))
    chain.unreadable = RpcTransportError("getTransaction: the result has another shape than documented")
    chain.block_height = EXPIRES_AT + 1
    assert worker.settle_expired() == 1
    chain.unreadable = None
    assert worker.settle() == 1
    assert {order.status for order in Order.select()} == {OrderStatus.PENDING, OrderStatus.CONFIRMED}


def test_attempts_are_sent_again_while_postgres_is_unavailable(
    worker: Worker, chain: ScriptedChain, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> list[Moved]:
        raise OperationalError("server closed the connection unexpectedly")

    worker.track(sign(built("worker-a"), signature(2)))
    chain.land(signature(1))
    monkeypatch.setattr(writing, "apply", away)
    with pytest.raises(OperationalError):
        worker.settle()
    clock.now = 1.0
    worker.resend()
    assert b"signed" in chain.sent
    monkeypatch.undo()
    assert worker.settle() == 1


def test_an_outcome_that_cannot_be_stored_does_not_delay_others(worker: Worker, chain: ScriptedChain) -> None:
    other = sign(built("worker-a"), signature(2), last_valid_block_height=EXPIRES_AT)
    worker.track(other)
    chain.land(signature(1), bought=1)
    chain.land(signature(2))
    assert worker.settle() == 1
    assert read(other.order.id).status is OrderStatus.CONFIRMED
