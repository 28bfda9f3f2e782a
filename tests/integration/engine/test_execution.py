"""A turn signs only within the order's terms, and sends only transactions that are stored in Postgres."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast
from uuid import UUID

import pytest
from peewee import IntegrityError
from solders.signature import Signature
from uuid_utils.compat import uuid7

from db import journal
from db.connection import database
from db.journal import Change
from db.models import Attempt
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled, Reclaimed
from orderd.domain.memo import memos_in
from orderd.domain.order import EventKind, OrderStatus
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import QuoteRequest, Route, RoutingDecision, VenueQuote
from orderd.domain.retry import RetryPolicy
from orderd.domain.terms import OrderTerms
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine import views
from orderd.engine.execution import turn
from orderd.engine.execution.blame import RouteRefusedError
from orderd.engine.execution.building import Builder, SignedAttempt
from orderd.engine.execution.mint_decimals import MintDecimals
from orderd.engine.execution.swap_plan import SwapPlan
from orderd.engine.execution.turn import Execution
from orderd.engine.execution.wallet_funds import Promised
from orderd.engine.failure import AttemptFailedError, LeaseLostError, NotStartedError, change_after
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.routing.new_market import NewMarkets
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.settlement.live import LiveAttempts
from orderd.solana.rpc import RpcError
from orderd.solana.sender import Sender
from tests.integration.engine.conftest import ScriptedChain
from tests.integration.orders import new_order, pending, read, route

PATIENCE = 20
INSTALLATION = b"mine"
QUOTE = VenueQuote(
    venue=VenueName.METEORA,
    pool="pool",
    pool_kind=PoolKind.METEORA_DLMM,
    mint_in=WSOL_MINT,
    mint_out=USDC_MINT,
    amount_in=1_500_000_000,
    amount_out=152_490_001,
    fee=1,
    fee_mint=WSOL_MINT,
    price_impact_bps=Decimal(0),
    slot=7,
    compute_units=40_000,
)
LEAST = 151_727_551
"""The quoted amount less the orders' slippage of 0.5 %, rounded up."""


@dataclass
class OneRoute:
    """Stands in for the router: one pool that pays a fixed amount, or takes a fixed amount for an exact output."""

    pays: int = QUOTE.amount_out
    takes: int = QUOTE.amount_in
    requests: list[QuoteRequest] = field(default_factory=list)
    breaks: bool = False
    unknown: set[int] = field(default_factory=set)
    """Amounts of orders whose pools are not known yet."""

    def pools_for(self, requests: Iterable[QuoteRequest]) -> dict[Pair, Answers]:
        if self.breaks:
            raise ZeroDivisionError
        return {}

    def has_pools(self, request: QuoteRequest, found: Mapping[Pair, Answers]) -> bool:
        return not self.breaks and request.amount not in self.unknown

    def route(
        self, request: QuoteRequest, slippage_bps: int, fits: Fits, found: Mapping[Pair, Answers] | None, **_: Any
    ) -> RoutingDecision:
        assert (found is None) == (not self.has_pools(request, {}))
        self.requests.append(request)
        quote = replace(QUOTE, amount_out=self.pays)
        if request.exact_out:
            quote = replace(QUOTE, amount_in=self.takes, amount_out=request.amount, exact_out=True)
        return RoutingDecision(Route.single(quote), (quote,), (), mid=lambda: Fraction(10_166, 100_000))


@dataclass
class Notary:
    """Stands in for the builder: signs a different transaction each time, after ``meanwhile`` has happened to the
    order.

    It does so only after the route is stored, which happens in parallel with building.
    """

    signed: list[SwapPlan] = field(default_factory=list)
    meanwhile: Callable[[UUID], object] = lambda _: None
    answers: dict[UUID, SignedAttempt] = field(default_factory=dict)

    def fits(self, route: Route) -> bool:
        return True

    def sign(self, plans: Sequence[tuple[SwapPlan, str]], promised: Promised) -> list[SignedAttempt | Exception]:
        return [self._answer(*each) for each in plans]

    def _answer(self, plan: SwapPlan, memo: str) -> SignedAttempt | Exception:
        self.signed.append(plan)
        try:
            self.meanwhile(_order_of(memo))
        except Exception as refusal:  # noqa: BLE001  (as the builder does)
            return refusal
        if (answer := self.answers.get(_order_of(memo))) is not None:
            return answer
        number = len(self.signed)
        return SignedAttempt(Signature.from_bytes(number.to_bytes(64, "big")), f"bytes {number}".encode(), 150, 8)


def _order_of(memo: str) -> UUID:
    (read_back,) = memos_in(memo)
    return read_back.order_id


@dataclass
class WitnessedSender(ScriptedChain):
    """Reads what Postgres stores about the bytes at the moment of sending."""

    stored: dict[bytes, bool] = field(default_factory=dict)
    requests: list[int] = field(default_factory=list)

    def send(self, signed: Sequence[bytes]) -> list[RpcError | None]:
        self.requests += [len(signed)] if signed else []
        with database.connection_context():
            for raw in signed:
                live = (Attempt.signed_bytes == raw) & (Attempt.outcome == "live")
                self.stored[raw] = Attempt.select().where(live).exists()
        return super().send(signed)


@dataclass
class Desk:
    """An execution whose surroundings the test controls."""

    execution: Execution
    builder: Notary
    sender: WitnessedSender
    live: LiveAttempts
    market: OneRoute

    def work(self, order_id: UUID) -> bool:
        """One turn of a single order; False if it could not be claimed. Raises whatever kept it from being sent."""
        kept = self.execution.run([order_id]).get(order_id)
        if isinstance(kept, NotStartedError):
            return False
        if kept is not None:
            raise kept
        return True


class AnyMarket:
    """Stands in for ``NewMarkets``: every route meets the guards."""

    def preferred(self, terms: OrderTerms) -> None:
        return None

    def check(self, terms: OrderTerms, decision: RoutingDecision | None) -> None:
        """Raise OrderdError if a guard is not met."""


class AsUnderstood:
    """Stands in for ``MintDecimals``: every token has the decimals that its order was understood with."""

    def check(self, terms: OrderTerms) -> None:
        """Raise OrderdError if they differ."""


def open_desk(publisher: Publisher, markets: AnyMarket | None = None, decimals: AsUnderstood | None = None) -> Desk:
    leases, sender, builder, market = Leases("worker-a", 15.0), WitnessedSender(), Notary(), OneRoute()
    as_sender = cast("Sender", sender)
    live = LiveAttempts(leases, resend_seconds=1.0)
    execution = Execution(
        *(cast("Router", market), cast("Builder", builder), as_sender, live, publisher, leases, INSTALLATION),
        cast("NewMarkets", markets or AnyMarket()),
        cast("MintDecimals", decimals or AsUnderstood()),
    )
    return Desk(execution, builder, sender, live, market)


@pytest.fixture(autouse=True)
def _no_order_is_slow_to_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, routing one order may take longer than the limit in wall time."""
    monkeypatch.setattr(turn, "_WAITING_SECONDS", 60.0)


@pytest.fixture
def desk(publisher: Publisher) -> Desk:
    return open_desk(publisher)


def cancel(order_id: UUID) -> None:
    with database.connection_context():
        journal.apply([Change(order_id, Cancelled(), None)])


def test_signed_bytes_are_stored_before_they_are_sent(desk: Desk) -> None:
    order_id = pending()
    assert desk.work(order_id)
    assert desk.sender.stored == {b"bytes 1": True}
    assert read(order_id).status is OrderStatus.SUBMITTED


def test_an_attempt_that_could_not_be_stored_is_never_sent(desk: Desk) -> None:
    desk.builder.meanwhile = cancel
    order_id = pending()
    with pytest.raises(LeaseLostError):
        desk.work(order_id)
    assert desk.sender.sent == []
    assert len(desk.live) == 0
    assert Attempt.select().count() == 0
    assert read(order_id).status is OrderStatus.CANCELLED


def test_a_signed_transaction_enforces_the_orders_minimum(desk: Desk) -> None:
    order_id = pending()
    desk.work(order_id)
    assert [plan.min_amount_out for plan in desk.builder.signed] == [LEAST]
    assert read(order_id).min_amount_out == LEAST
    assert Attempt.get().min_amount_out == LEAST


def test_the_routing_decision_is_kept_for_the_fill(desk: Desk) -> None:
    desk.work(pending())
    assert (Attempt.get().pool_fee, Attempt.get().mid) == (QUOTE.fee, "101.66")


def test_an_order_claimed_by_another_worker_is_not_executed(desk: Desk) -> None:
    order_id = pending()
    assert desk.work(order_id)
    assert not desk.work(order_id)
    assert len(desk.builder.signed) == 1


def test_a_node_that_refuses_the_bytes_does_not_end_the_attempt(desk: Desk) -> None:
    desk.sender.outage = RpcError("503 Service Unavailable")
    order_id = pending()
    assert desk.work(order_id)
    assert (read(order_id).status, Attempt.get().outcome) == (OrderStatus.SUBMITTED, "live")
    assert len(desk.live) == 1


def test_a_failure_before_signing_is_a_failed_attempt(desk: Desk) -> None:
    def refuse(_: UUID) -> None:
        raise OrderdError(ErrorCode.FUNDS_INSUFFICIENT, "1 SOL is missing")

    desk.builder.meanwhile = refuse
    order_id = pending()
    with pytest.raises(AttemptFailedError) as failed:
        desk.work(order_id)
    assert failed.value.error.code is ErrorCode.FUNDS_INSUFFICIENT
    assert (read(order_id).status, desk.sender.sent) == (OrderStatus.BUILDING, [])


def test_a_route_that_fails_the_orders_check_is_not_signed(publisher: Publisher) -> None:
    class ShallowMarket(AnyMarket):
        def check(self, terms: OrderTerms, decision: RoutingDecision | None) -> None:
            raise OrderdError(ErrorCode.POOL_SHALLOW, "the liquidity that triggered the order is gone")

    desk, order_id = open_desk(publisher, ShallowMarket()), pending()
    with pytest.raises(AttemptFailedError, match="POOL_SHALLOW"):
        desk.work(order_id)
    assert (desk.builder.signed, desk.sender.sent, Attempt.select().count()) == ([], [], 0)


def test_an_order_whose_token_has_other_decimals_now_ends_unsigned(publisher: Publisher) -> None:
    class Remade(AsUnderstood):
        def check(self, terms: OrderTerms) -> None:
            raise OrderdError(ErrorCode.TOKEN_REMADE, f"{terms.token_out.mint} has 9 decimals, and had 6")

    desk, order_id = open_desk(publisher, decimals=Remade()), pending()
    with pytest.raises(AttemptFailedError, match="TOKEN_REMADE") as failed:
        desk.work(order_id)
    assert change_after(failed.value, RetryPolicy()).fact.kind is EventKind.FAILED
    assert (desk.builder.signed, desk.sender.sent, Attempt.select().count()) == ([], [], 0)


def test_an_order_that_expires_while_it_is_built_is_never_sent(desk: Desk) -> None:
    def grow_old(order_id: UUID) -> None:
        database.execute_sql("UPDATE orders SET valid_until = now() WHERE id = %s", (str(order_id),))

    desk.builder.meanwhile = grow_old
    order = replace(new_order(), valid_seconds=600)
    journal.accept([order])
    with pytest.raises(LeaseLostError):
        desk.work(order.id)
    assert desk.sender.sent == []
    assert Attempt.select().count() == 0
    assert (read(order.id).status, read(order.id).error_code) == (OrderStatus.EXPIRED, ErrorCode.ORDER_EXPIRED)


def test_a_turn_that_lost_its_claim_signs_nothing_besides_the_next_turn(desk: Desk) -> None:
    """The order was reclaimed and is being built by another turn when the first one continues."""

    def overtake(order_id: UUID) -> None:
        with database.connection_context():
            journal.apply([Change(order_id, Reclaimed(), None)])
            (claimed,) = journal.claim([order_id], "worker-b", 15.0)
            route(claimed.order)

    desk.builder.meanwhile = overtake
    order_id = pending()
    with pytest.raises(LeaseLostError):
        desk.work(order_id)
    assert desk.sender.sent == []
    assert Attempt.select().count() == 0
    assert (read(order_id).status, read(order_id).lease_owner) == (OrderStatus.BUILDING, "worker-b")


def test_a_batch_of_orders_is_claimed_signed_stored_and_sent_at_once(desk: Desk) -> None:
    orders = [pending() for _ in range(3)]
    assert desk.execution.run(orders) == {}
    assert desk.sender.requests == [3]
    assert {*desk.sender.stored.values()} == {True}
    for order_id in orders:
        kinds = [event.data.kind for event in views.events_after(order_id, 1)]
        assert kinds == [EventKind.STARTED, EventKind.ROUTED, EventKind.SUBMITTED]
    assert len(desk.live) == 3


def test_a_failing_order_does_not_affect_its_batch(desk: Desk) -> None:
    good, poor, lost, taken = (pending() for _ in range(4))

    def meanwhile(order_id: UUID) -> None:
        if order_id == poor:
            raise OrderdError(ErrorCode.FUNDS_INSUFFICIENT, "1 SOL is missing")
        if order_id == lost:
            raise KeyError("unforeseen")
        if order_id == taken:
            cancel(order_id)

    desk.builder.meanwhile = meanwhile
    kept = desk.execution.run([good, poor, lost, taken, uuid7()])
    assert [type(kept[order_id]) for order_id in (poor, lost, taken)] == [AttemptFailedError, KeyError, LeaseLostError]
    assert [type(error) for order_id, error in kept.items() if order_id not in (poor, lost, taken)] == [NotStartedError]
    assert read(good).status is OrderStatus.SUBMITTED
    assert [read(order_id).status for order_id in (poor, lost)] == [OrderStatus.BUILDING] * 2, (
        "their routes were not stored"
    )
    assert len(desk.sender.sent) == 1


def test_a_refused_order_is_routed_again_without_delaying_its_batch(desk: Desk) -> None:
    refused, other = pending(), pending()

    def meanwhile(order_id: UUID) -> None:
        if order_id == refused and len(desk.builder.signed) == 1:
            error = OrderdError(ErrorCode.TX_FAILED, "the pool says no")
            raise RouteRefusedError(Route.single(QUOTE), error, QUOTE.pool, moved=True)

    desk.builder.meanwhile = meanwhile
    assert desk.execution.run([refused, other]) == {}
    assert desk.sender.requests == [1, 1]
    kinds = [event.data.kind for event in views.events_after(refused, 1)]
    assert kinds == [EventKind.STARTED, EventKind.ROUTED, EventKind.ROUTED, EventKind.SUBMITTED]


def test_an_order_that_is_slow_to_route_does_not_delay_its_batch(publisher: Publisher) -> None:
    desk = open_desk(publisher)
    ticks = itertools.count()
    desk.execution._clock = lambda: 0.015 * next(ticks)
    assert desk.execution.run([pending() for _ in range(3)]) == {}
    assert desk.sender.requests == [2, 1]


def test_a_value_that_the_database_refuses_stops_only_its_own_order(desk: Desk) -> None:
    good, bad = pending(), pending()
    refused = desk.builder.answers[bad] = SignedAttempt(Signature.default(), b"", 150, 8)
    kept = desk.execution.run([good, bad])
    assert refused.raw == b"", "the table refuses an attempt without bytes"
    assert isinstance(kept[bad], IntegrityError)
    assert (read(good).status, read(bad).status) == (OrderStatus.SUBMITTED, OrderStatus.ROUTING)


def test_an_order_with_unknown_pools_is_routed_last_and_alone(desk: Desk) -> None:
    slow, *others = (pending(amount_in=amount) for amount in (7 * 10**8, 8 * 10**8, 9 * 10**8))
    desk.market.unknown.add(7 * 10**8)
    assert desk.execution.run([slow, *others]) == {}
    *first, last = (request.amount for request in desk.market.requests)
    assert ({*first}, last) == ({8 * 10**8, 9 * 10**8}, 7 * 10**8)
    assert desk.sender.requests == [2, 1], "routed orders are sent before pools are looked up"


def test_orders_look_up_pools_individually_when_the_lookup_of_a_batch_fails(desk: Desk) -> None:
    desk.market.breaks = True
    assert desk.execution.run([pending() for _ in range(3)]) == {}
    assert len(desk.market.requests) == 3
