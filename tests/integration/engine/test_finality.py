"""A fill is checked until its block is final; an order whose fill was rolled back is active again."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from db import finality
from db.connection import database
from db.models import Attempt, Order
from orderd.domain.events import Confirmed, RolledBack
from orderd.domain.order import OrderStatus
from orderd.engine import views
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.settlement.finality import Finality
from orderd.solana.observer import Observer
from orderd.solana.rpc import RpcTransportError, RpcWrongChainError
from orderd.solana.rpc_types import SignatureStatus
from tests.integration.engine.conftest import ScriptedChain, signature
from tests.integration.engine.settling import worker_of
from tests.integration.orders import built, sign
from tests.integration.statements import executed


@pytest.fixture
def settle(chain: ScriptedChain, publisher: Publisher) -> Callable[[], int]:
    """One pass of a worker's settlement; it holds ``signature(1)``, and adopts released attempts at once."""
    moment = [0.0]

    def later() -> float:
        moment[0] += 60
        return moment[0]

    worker = worker_of(chain, publisher, Leases("worker-a", 15.0), later)
    worker.track(sign(built("worker-a"), signature(1)))
    return lambda: worker.settle() + 0 * worker.resend()


@pytest.fixture
def confirmed(chain: ScriptedChain, settle: Callable[[], int]) -> Order:
    """An order whose fill is confirmed and not final yet."""
    chain.final_at = "finalized"
    chain.land(signature(1))
    assert settle() == 1
    return the_order()


@pytest.fixture
def final(chain: ScriptedChain, publisher: Publisher) -> Finality:
    return Finality(cast("Observer", chain), publisher)


def the_order() -> Order:
    order: Order = Order.get()
    return order


def test_a_fill_is_reported_when_it_is_confirmed_and_awaits_finality(confirmed: Order) -> None:
    assert confirmed.status is OrderStatus.CONFIRMED
    assert Attempt.get().awaits_finality


def test_a_fill_that_is_final_at_once_awaits_nothing(chain: ScriptedChain, settle: Callable[[], int]) -> None:
    chain.final_at = "confirmed"
    chain.land(signature(1))
    assert settle() == 1
    assert not Attempt.get().awaits_finality


def test_a_pass_without_successes_takes_one_statement(final: Finality) -> None:
    final.run_once()
    with executed() as statements:
        assert final.run_once() == 0
    assert len(statements) == 1


def test_a_final_fill_is_not_checked_again(chain: ScriptedChain, confirmed: Order, final: Finality) -> None:
    assert final.run_once() == 0
    assert Attempt.get().awaits_finality, "the fill is only confirmed"
    chain.statuses[signature(1)] = SignatureStatus(slot=9, err=None, confirmation_status="finalized")
    assert final.run_once() == 0
    assert not Attempt.get().awaits_finality
    assert the_order().seq == confirmed.seq, "finality added an event"


def test_a_rolled_back_order_is_active_again_with_the_same_bytes(
    chain: ScriptedChain, confirmed: Order, final: Finality, settle: Callable[[], int]
) -> None:
    del chain.statuses[signature(1)]
    assert final.run_once() == 1
    order = the_order()
    assert (order.status, order.filled_in, order.filled_out, order.network_fee) == (
        OrderStatus.SUBMITTED,
        None,
        None,
        None,
    )
    assert (Attempt.get().outcome, Attempt.get().slot) == ("live", None)
    (event,) = views.events_after(order.id, confirmed.seq)
    assert event.data == RolledBack(attempt=1, signature=signature(1), slot=9)
    assert settle() == 0
    assert chain.sent == [b"signed"], "the attempt is adopted and sent again"

    chain.land(signature(1), bought=152_399_999)
    chain.statuses[signature(1)] = replace(chain.statuses[signature(1)], slot=12, confirmation_status="finalized")
    chain.transactions[signature(1)] = replace(chain.transactions[signature(1)], slot=12)
    assert settle() == 1
    order = the_order()
    assert (order.status, order.filled_out) == (OrderStatus.CONFIRMED, 152_399_999)
    assert isinstance(views.events_after(order.id, order.seq - 1)[0].data, Confirmed)
    assert Attempt.select().count() == 1, "another transaction was signed"
    taken_back, counts = views.get(order.account_id, str(order.id)).fills
    assert (taken_back.slot, taken_back.amount_out, taken_back.rolled_back_at) == (9, "152.4", event.at)
    assert (counts.slot, counts.amount_out, counts.rolled_back_at) == (12, "152.399999", None)


def test_a_fill_that_landed_again_in_another_block_is_read_again(
    chain: ScriptedChain, confirmed: Order, final: Finality
) -> None:
    chain.statuses[signature(1)] = SignatureStatus(slot=12, err=None, confirmation_status="finalized")
    assert final.run_once() == 1
    assert the_order().status is OrderStatus.SUBMITTED


@pytest.mark.parametrize("slot", [9, 12])
def test_a_false_status_does_not_roll_back_a_fill_in_the_wallets_history(
    chain: ScriptedChain, confirmed: Order, final: Finality, slot: int
) -> None:
    del chain.statuses[signature(1)]
    chain.paid[confirmed.id] = signature(1)
    chain.transactions[signature(1)] = replace(chain.transactions[signature(1)], slot=slot)
    in_its_block = slot == 9
    assert final.run_once() == (0 if in_its_block else 1)
    assert the_order().status is (OrderStatus.CONFIRMED if in_its_block else OrderStatus.SUBMITTED)
    assert not Attempt.get().awaits_finality


@pytest.mark.parametrize("silence", ["no witness", "an outage", "no history", "another chain"])
def test_a_missing_answer_does_not_roll_a_fill_back(
    chain: ScriptedChain, confirmed: Order, final: Finality, silence: str
) -> None:
    del chain.statuses[signature(1)]
    if silence == "no witness":
        chain.is_witnessed = False
        assert final.run_once() == 0
    elif silence == "an outage":
        chain.outage = RpcTransportError("connection refused")
        with pytest.raises(RpcTransportError):
            final.run_once()
    elif silence == "no history":
        chain.unsearchable = RpcTransportError("-32011: Transaction history is not available from this node")
        assert final.run_once() == 0
    else:
        chain.is_other_chain = True
        with pytest.raises(RpcWrongChainError):
            final.run_once()
    assert the_order().status is OrderStatus.CONFIRMED
    assert Attempt.get().awaits_finality


def test_a_reconfirmed_fill_is_not_rolled_back_on_older_evidence(
    chain: ScriptedChain, confirmed: Order, final: Finality, settle: Callable[[], int]
) -> None:
    (stale,) = finality.awaiting(10)
    del chain.statuses[signature(1)]
    final.run_once()
    settle()
    chain.land(signature(1))
    settle()
    assert the_order().status is OrderStatus.CONFIRMED
    assert finality.roll_back([stale]) == []
    assert the_order().status is OrderStatus.CONFIRMED


def test_only_one_process_at_a_time_checks_finality(chain: ScriptedChain, confirmed: Order, final: Finality) -> None:
    del chain.statuses[signature(1)]
    looking, done = threading.Event(), threading.Event()

    def look_elsewhere() -> None:
        with database.connection_context(), finality.exclusive_handling():
            looking.set()
            done.wait()

    other = threading.Thread(target=look_elsewhere)
    other.start()
    try:
        assert looking.wait(10)
        assert final.run_once() == 0
    finally:
        done.set()
        other.join()
    assert final.run_once() == 1
