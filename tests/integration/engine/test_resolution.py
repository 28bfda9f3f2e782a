"""An operator reviews the evidence of an unknown outcome and resolves it; an unsupported claim changes nothing."""

import math
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest

from db.audit import RESOLVE, Actor
from db.connection import database
from db.models import DEFAULT_ACCOUNT, Attempt, AuditRow, Order, OrderFailure
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.engine import views
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.settlement.outcome import Outcomes
from orderd.engine.settlement.resolution import Resolution
from orderd.engine.settlement.unknown import UnknownOutcomes
from orderd.solana.observer import Observer
from orderd.solana.rpc import RpcTransportError
from tests.integration.accounts import account
from tests.integration.engine.conftest import WALLET, ScriptedChain, signature
from tests.integration.engine.settling import worker_of
from tests.integration.orders import built, pending, read, sign

OPERATOR = Actor("night shift", "192.0.2.7")


@pytest.fixture
def resolution(chain: ScriptedChain, publisher: Publisher) -> Resolution:
    outcomes = Outcomes(WALLET, RetryPolicy(max_attempts=3, base_ms=1_000))
    return Resolution(lambda: cast("Observer", chain), outcomes, WALLET, publisher, lambda: 400)


@pytest.fixture
def submitted() -> str:
    """An order that is submitted with ``signature(1)`` and leased by a worker."""
    return str(sign(built("worker-a"), signature(1)).order.id)


@pytest.fixture
def unknown(submitted: str, publisher: Publisher) -> str:
    """The same order with an unknown outcome."""
    database.execute_sql("UPDATE orders SET updated_at = updated_at - interval '301 s'")
    assert UnknownOutcomes(publisher, 300).run_once() == 1
    return submitted


def the_order() -> Order:
    order: Order = Order.get()
    return order


def refusal(code: ErrorCode = ErrorCode.ORDER_NOT_RESOLVABLE) -> "pytest.RaisesExc[OrderdError]":
    return pytest.raises(OrderdError, check=lambda error: error.code is code)


def test_the_evidence_shows_stored_facts_and_the_chains_answer(
    chain: ScriptedChain, resolution: Resolution, unknown: str
) -> None:
    chain.block_height = 180
    chain.land(signature(7))
    chain.paid[UUID(unknown)] = signature(7)
    evidence = resolution.evidence(DEFAULT_ACCOUNT, unknown)
    assert (evidence.attempt.signature, evidence.attempt.last_valid_block_height) == (signature(1), 150)
    assert (evidence.blockhash_slot, evidence.finalized_height, evidence.status) == (0, 180, "not found")
    assert (evidence.paid_by_wallet, evidence.trouble) == ((signature(7),), "")
    assert evidence.order.unknown_since is not None


def test_the_evidence_shows_the_status_with_its_slot_and_result(
    chain: ScriptedChain, resolution: Resolution, submitted: str
) -> None:
    chain.land(signature(1))
    status = resolution.evidence(DEFAULT_ACCOUNT, submitted).status
    assert status == "confirmed in slot 9, succeeded"


def test_an_endpoint_that_does_not_answer_is_part_of_the_evidence(
    chain: ScriptedChain, resolution: Resolution, submitted: str
) -> None:
    chain.outage = RpcTransportError("connection refused")
    evidence = resolution.evidence(DEFAULT_ACCOUNT, submitted)
    assert (evidence.status, evidence.trouble) == ("could not be asked", "connection refused")
    assert evidence.finalized_height is None


def test_an_administrator_resolves_orders_of_all_accounts(
    chain: ScriptedChain, resolution: Resolution, unknown: str
) -> None:
    database.execute_sql("UPDATE orders SET account_id = %s", (str(account("desk")),))
    with refusal(ErrorCode.ORDER_NOT_FOUND):
        resolution.evidence(DEFAULT_ACCOUNT, unknown)
    assert resolution.evidence(DEFAULT_ACCOUNT, unknown, sees_all=True).order.account == "desk"
    with refusal(ErrorCode.ORDER_NOT_FOUND):
        resolution.landed(DEFAULT_ACCOUNT, unknown, signature(1), OPERATOR)
    with refusal(ErrorCode.ORDER_NOT_FOUND):
        resolution.dead(DEFAULT_ACCOUNT, unknown, OPERATOR)
    chain.land(signature(1))
    ended = resolution.landed(DEFAULT_ACCOUNT, unknown, signature(1), OPERATOR, sees_all=True)
    assert (ended.status, ended.account) == (OrderStatus.CONFIRMED, "desk")


def test_an_order_without_a_transaction_has_no_evidence(resolution: Resolution) -> None:
    with refusal():
        resolution.evidence(DEFAULT_ACCOUNT, str(pending()))


def test_a_resolution_as_landed_takes_the_fill_from_the_chain(
    chain: ScriptedChain, resolution: Resolution, unknown: str
) -> None:
    chain.land(signature(1), bought=152_400_001)
    view = resolution.landed(DEFAULT_ACCOUNT, unknown, signature(1), OPERATOR)
    assert (view.status, view.amount_out, view.unknown_since) == (OrderStatus.CONFIRMED, "152.400001", None)
    assert Attempt.get().outcome == "landed"
    row = AuditRow.get(AuditRow.action == RESOLVE)
    assert (row.actor, row.address, str(row.order_id), row.detail) == (
        "night shift",
        "192.0.2.7",
        unknown,
        f"landed {signature(1)}",
    )


def test_another_transaction_of_the_order_paid_by_the_wallet_counts(
    chain: ScriptedChain, resolution: Resolution, unknown: str
) -> None:
    chain.land(signature(7))
    memo = f'Program log: Memo (len 38): "{unknown}:1"'
    chain.transactions[signature(7)] = replace(chain.transactions[signature(7)], payer=WALLET, logs=(memo,))
    view = resolution.landed(DEFAULT_ACCOUNT, unknown, signature(7), OPERATOR)
    assert (view.status, view.signature) == (OrderStatus.CONFIRMED, signature(7))


@pytest.mark.parametrize("case", ["not known", "failed", "another order's", "a stranger's", "no trade", "no signature"])
def test_a_transaction_that_is_not_a_fill_of_the_order_is_refused(
    chain: ScriptedChain, resolution: Resolution, unknown: str, case: str
) -> None:
    memo = (f'Program log: Memo (len 38): "{unknown}:1"',)
    named = signature(7)
    chain.land(named)
    found = chain.transactions[named]
    chain.transactions[named] = {
        "not known": found,
        "failed": replace(found, err="ProgramFailedToComplete", payer=WALLET, logs=memo),
        "another order's": replace(found, payer=WALLET),
        "a stranger's": replace(found, payer="stranger", logs=memo),
        "no trade": replace(found, payer=WALLET, logs=memo, tokens=()),
        "no signature": found,
    }[case]
    if case == "not known":
        del chain.transactions[named]
    if case == "no signature":
        named = "nonsense"
    code = ErrorCode.REQUEST_INVALID if case == "no signature" else ErrorCode.ORDER_NOT_RESOLVABLE
    with refusal(code):
        resolution.landed(DEFAULT_ACCOUNT, unknown, named, OPERATOR)
    assert the_order().status is OrderStatus.SUBMITTED
    assert AuditRow.select().where(AuditRow.action == RESOLVE).count() == 0


def test_an_order_is_not_resolved_as_landed_without_an_answer_of_the_endpoint(
    chain: ScriptedChain, resolution: Resolution, unknown: str
) -> None:
    chain.unreadable = RpcTransportError("connection refused")
    with refusal(ErrorCode.RPC_UNAVAILABLE):
        resolution.landed(DEFAULT_ACCOUNT, unknown, signature(1), OPERATOR)
    assert the_order().status is OrderStatus.SUBMITTED


def test_a_transaction_that_can_still_land_is_not_declared_dead(
    chain: ScriptedChain, resolution: Resolution, unknown: str
) -> None:
    for chain.block_height, left in ((100, 51), (150, 1)):
        with pytest.raises(OrderdError) as refused:
            resolution.dead(DEFAULT_ACCOUNT, unknown, OPERATOR)
        assert refused.value.code is ErrorCode.ORDER_MAY_LAND
        assert refused.value.retry_after == math.ceil(left * 0.4)
        assert refused.value.detail.startswith(f"{left} more blocks")
    assert the_order().status is OrderStatus.SUBMITTED
    chain.block_height = 151
    assert resolution.dead(DEFAULT_ACCOUNT, unknown, OPERATOR).status is OrderStatus.FAILED


def test_a_transaction_that_the_chain_shows_is_not_declared_dead(
    chain: ScriptedChain, resolution: Resolution, unknown: str
) -> None:
    chain.block_height = 151
    chain.land(signature(1))
    with refusal():
        resolution.dead(DEFAULT_ACCOUNT, unknown, OPERATOR)
    assert the_order().status is OrderStatus.SUBMITTED
    chain.land(signature(1), err="ProgramFailedToComplete")
    assert resolution.dead(DEFAULT_ACCOUNT, unknown, OPERATOR).status is OrderStatus.FAILED


def test_nothing_is_declared_dead_without_an_answer_of_the_endpoint(
    chain: ScriptedChain, resolution: Resolution, unknown: str
) -> None:
    chain.outage = RpcTransportError("connection refused")
    with refusal(ErrorCode.RPC_UNAVAILABLE):
        resolution.dead(DEFAULT_ACCOUNT, unknown, OPERATOR)
    assert the_order().status is OrderStatus.SUBMITTED


def test_an_order_resolved_as_dead_fails_and_is_never_retried(
    chain: ScriptedChain, resolution: Resolution, unknown: str
) -> None:
    chain.block_height = 151
    view = resolution.dead(DEFAULT_ACCOUNT, unknown, OPERATOR)
    assert view.status is OrderStatus.FAILED
    assert view.error is not None
    assert view.error.code is ErrorCode.TX_ABANDONED
    assert (Attempt.get().outcome, OrderFailure.get().code) == ("abandoned", ErrorCode.TX_ABANDONED)
    detail = views.get(DEFAULT_ACCOUNT, unknown)
    assert [event.seq for event in detail.events] == [1, 2, 3, 4, 5, 6]
    assert detail.attempts[0].outcome == "abandoned"
    assert AuditRow.get(AuditRow.action == RESOLVE).detail == "dead"


def test_an_attempt_resolved_as_dead_is_not_sent_again(
    chain: ScriptedChain, publisher: Publisher, resolution: Resolution
) -> None:
    """The chain may have stood still: then the same bytes could land after all."""
    worker = worker_of(chain, publisher, Leases("worker-a", 15.0), clock=iter(range(100)).__next__)
    worker.track(sign(built("worker-a"), signature(1)))
    database.execute_sql("UPDATE orders SET updated_at = updated_at - interval '301 s'")
    UnknownOutcomes(publisher, 300).run_once()
    worker.live.renew()
    assert len(worker) == 1
    chain.block_height = 151
    resolution.dead(DEFAULT_ACCOUNT, str(the_order().id), OPERATOR)
    worker.live.renew()
    assert worker.resend() == 0
    assert len(worker) == 0, "it counts among those in flight no more"


@pytest.mark.parametrize("word", ["landed", "dead"])
def test_an_order_in_flight_cannot_be_resolved(
    chain: ScriptedChain, resolution: Resolution, submitted: str, word: str
) -> None:
    chain.block_height = 151
    if word == "landed":
        chain.land(signature(1))
    with refusal():
        if word == "landed":
            resolution.landed(DEFAULT_ACCOUNT, submitted, signature(1), OPERATOR)
        else:
            resolution.dead(DEFAULT_ACCOUNT, submitted, OPERATOR)
    assert the_order().status is OrderStatus.SUBMITTED


def test_a_second_resolution_is_refused(chain: ScriptedChain, resolution: Resolution, unknown: str) -> None:
    chain.block_height = 151
    resolution.dead(DEFAULT_ACCOUNT, unknown, OPERATOR)
    with refusal():
        resolution.dead(DEFAULT_ACCOUNT, unknown, OPERATOR)
    assert read(the_order().id).status is OrderStatus.FAILED
