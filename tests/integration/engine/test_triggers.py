"""Resting orders fire when the market meets their price: once, at their stored terms, and without omissions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast
from uuid import UUID

import pytest
from peewee import OperationalError

from db import journal, resting
from db.connection import database
from db.journal import Change
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled, Deferred, Triggered
from orderd.domain.order import EventKind, OrderKind, OrderStatus
from orderd.domain.quote import QuoteRequest, Route, RoutingDecision
from orderd.domain.terms import OrderTerms
from orderd.engine import views
from orderd.engine.publish import Publisher
from orderd.engine.routing.new_market import NewMarkets
from orderd.engine.routing.outline import Outline
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.triggers.followers import SECONDS_PER_PASS
from orderd.engine.triggers.watch import SECOND_CHECK_SECONDS, Triggers
from tests.integration.engine.conftest import Queue
from tests.integration.engine.test_execution import QUOTE, AnyMarket
from tests.integration.orders import new_order, pending, read

SOL = 10**9
MILLION = 10**6
PAUSE_SECONDS = 1.0
READ_ALL_SECONDS = 30.0


@dataclass
class Market:
    """Stands in for the router: one pool that buys SOL at ``price`` in USDC, with a new state per ``slot``."""

    price: float = 100.0
    slot: int = 1
    is_closed: bool = False
    is_shallow: bool = False
    pool: object = field(default_factory=object)
    looks: list[int] = field(default_factory=list)
    missing: ErrorCode | None = None
    dearer: float = 0.0
    cost: int = 0
    """A better price, and the cost of using it, in base units of USDC."""
    meanwhile: Callable[[], object] = lambda: None
    """Called while the market is evaluated."""
    is_known: bool = True
    learnt: list[QuoteRequest] = field(default_factory=list)

    def moves(self, price: float) -> None:
        self.price, self.slot, self.pool = price, self.slot + 1, object()

    def pools_for(self, requests: Iterable[QuoteRequest]) -> dict[Pair, Answers]:
        return {}

    def has_pools(self, request: QuoteRequest, found: Mapping[Pair, Answers]) -> bool:
        return self.is_known

    def learn(self, request: QuoteRequest) -> None:
        self.learnt.append(request)

    def outline(self, request: QuoteRequest, found: Mapping[Pair, Answers]) -> Outline:
        return Outline(((self.pool, None),), None, self.cost, self.slot)

    def hints(self, request: QuoteRequest) -> int:
        return self.slot

    def route(
        self, request: QuoteRequest, slippage_bps: int, fits: Fits, found: Mapping[Pair, Answers], **_: Any
    ) -> RoutingDecision:
        self.looks.append(request.amount)
        self.meanwhile()
        if self.missing is not None:
            raise OrderdError(self.missing, "no pool")
        if self.is_closed:
            raise OrderdError(ErrorCode.ROUTE_VENUES_UNAVAILABLE, "away")
        if self.is_shallow and request.exit_bps is None:
            raise OrderdError(ErrorCode.ROUTE_PRICE_IMPACT, "moves the price by more than the daemon lets an order")
        paid, dear = (request.amount * round(each * MILLION) // SOL for each in (self.price, self.dearer))
        paid = dear if dear - self.cost > paid else paid
        quote = replace(QUOTE, amount_in=request.amount, amount_out=paid, slot=self.slot)
        return RoutingDecision(Route.single(quote), (quote,), ())


@dataclass
class Watch:
    """The triggers of one process, with a market and a clock that the test controls."""

    market: Market
    queue: Queue
    triggers: Triggers
    now: list[float]

    def sees(self, *prices: float) -> int:
        """The number of orders that fire at these prices, each in its own slot."""
        fired = 0
        for price in prices:
            self.market.moves(price)
            fired += self.triggers.run_once()
        return fired


class Begin(Protocol):
    """Start watching the pairs of a new process."""

    def __call__(
        self,
        market: Market,
        is_mine: Callable[[Pair], bool] = ...,
        *,
        idle_seconds: float = ...,
        guards: AnyMarket = ...,
    ) -> Watch: ...


@pytest.fixture
def begin(publisher: Publisher) -> Begin:
    def watch(
        market: Market,
        is_mine: Callable[[Pair], bool] = lambda _: True,
        *,
        idle_seconds: float = 2.0,
        guards: AnyMarket | None = None,
    ) -> Watch:
        queue, now = Queue(), [1_000.0]
        triggers = Triggers(
            cast("Router", market),
            lambda _: True,
            cast("NewMarkets", guards or AnyMarket()),
            publisher,
            queue.send,
            _no_parts,
            is_mine,
            idle_seconds=idle_seconds,
            clock=lambda: now[0],
        )
        return Watch(market, queue, triggers, now)

    return watch


@pytest.fixture
def watch(begin: Begin) -> Watch:
    return begin(Market())


def rests(kind: OrderKind, amount_in: int = SOL, **terms: Any) -> UUID:
    (moved,) = journal.accept([new_order(amount_in=amount_in, kind=kind, **terms)])
    assert moved.order.status is OrderStatus.OPEN
    return moved.order.id


def limit(price: str = "105", **terms: Any) -> UUID:
    return rests(OrderKind.LIMIT, limit_price=price, **terms)


def stop(price: str = "95", confirm: int = 1, **terms: Any) -> UUID:
    return rests(OrderKind.STOP, stop_price=price, confirm=confirm, **terms)


def trailing(confirm: int = 1, **terms: Any) -> UUID:
    return rests(OrderKind.TRAILING, trail="3%", confirm=confirm, **terms)


def statuses(orders: Sequence[UUID]) -> list[OrderStatus]:
    return [read(each).status for each in orders]


def rests_again(order_id: UUID) -> None:
    """Claim the order and fail its attempt."""
    order = read(order_id)
    fact = Deferred(until=order.updated_at, reason="away")
    (claimed,) = journal.claim([order_id], "worker-a", 15)
    assert journal.apply([Change(order_id, fact, claimed.order.version, to=OrderStatus.OPEN)])


def test_a_met_order_is_due_queued_and_records_the_met_condition(watch: Watch) -> None:
    order_id = limit("105")
    assert watch.sees(100, 104.999999) == 0
    assert watch.sees(105.5) == 1
    order = read(order_id)
    assert (order.status, order.looks_from) == (OrderStatus.PENDING, None)
    assert order.triggered_at is not None
    assert order.due_at is not None
    assert watch.queue.sent == [order_id]
    (fact,) = [event.data for event in views.events_after(order_id, 1)]
    assert fact == Triggered(
        price="105.5 USDC per SOL",
        amount_out="105.5",
        condition="105 USDC per SOL = at least 105 USDC",
        slot=watch.market.slot,
        met_at_slot=watch.market.slot,
    )


def test_an_order_that_covers_the_cost_of_a_better_route_fires(watch: Watch) -> None:
    """The smallest amount of its size class, which is quoted first, would be paid at most 100."""
    watch.market.dearer, watch.market.cost = 105.5, 5 * MILLION
    limit("105", amount_in=SOL)
    assert watch.sees(100) == 1


def test_a_gap_through_all_prices_fires_all_orders_farthest_first(watch: Watch) -> None:
    near, far = limit("110"), limit("101")
    assert watch.sees(100) == 0
    assert watch.sees(120) == 2
    assert watch.queue.sent == [far, near]


def test_an_order_fires_once(watch: Watch) -> None:
    order_id = limit()
    assert watch.sees(106, 106, 107) == 1
    assert [event.data.kind for event in views.events_after(order_id, 0)] == [EventKind.ACCEPTED, EventKind.TRIGGERED]


def test_two_processes_that_see_the_same_market_fire_each_order_once(begin: Begin) -> None:
    market = Market()
    one, other = begin(market), begin(market)
    orders = [limit(str(101 + number)) for number in range(9)]
    for each in (one, other):
        each.triggers.run_once()
    market.moves(105)
    fired = [one.triggers.run_once(), other.triggers.run_once()]
    assert fired == [5, 0]
    assert statuses(orders) == [OrderStatus.PENDING] * 5 + [OrderStatus.OPEN] * 4
    assert other.sees(120) == 4
    assert one.sees(120) == 0
    assert {read(each).seq for each in orders} == {2}


def test_a_best_price_for_the_amount_before_an_amendment_is_discarded(watch: Watch) -> None:
    order_id = trailing(amount_in=2 * SOL)
    halve = "UPDATE orders SET version = version + 1, amount_in = %s WHERE id = %s AND amount_in = %s"
    watch.market.meanwhile = lambda: database.execute_sql(halve, (SOL, str(order_id), 2 * SOL))
    assert watch.sees(100, 100) == 0
    assert read(order_id).best_out == 100 * MILLION


def test_an_order_cancelled_in_the_slot_of_its_price_does_not_fire(watch: Watch) -> None:
    order_id = limit()
    assert watch.sees(100) == 0
    journal.apply([Change(order_id, Cancelled(), None)])
    assert watch.sees(106) == 0
    assert read(order_id).status is OrderStatus.CANCELLED
    assert watch.queue.sent == []


def test_an_order_amended_during_the_evaluation_does_not_fire(watch: Watch) -> None:
    order_id = limit()
    amend = "UPDATE orders SET version = version + 1, limit_price = 200 WHERE id = %s AND limit_price = 105"
    watch.market.meanwhile = lambda: database.execute_sql(amend, (str(order_id),))
    assert watch.sees(106) == 0
    assert read(order_id).status is OrderStatus.OPEN
    assert watch.sees(106) == 0
    assert watch.sees(200) == 1


def test_an_expired_order_does_not_fire(watch: Watch) -> None:
    order_id = limit()
    assert watch.sees(100) == 0
    database.execute_sql("UPDATE orders SET valid_until = now() WHERE id = %s", (str(order_id),))
    assert watch.sees(106) == 0
    assert read(order_id).status is OrderStatus.OPEN, "dispatch expires the order"


def test_a_stop_is_confirmed_by_later_slots_without_trades(watch: Watch) -> None:
    order_id = stop(confirm=2)
    assert watch.sees(94) == 0
    assert watch.triggers.run_once() == 0, "one slot confirmed the stop twice"
    watch.market.slot += 1
    assert watch.triggers.run_once() == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_stop_does_not_fire_on_a_price_of_a_single_trade(watch: Watch) -> None:
    order_id = stop(confirm=2)
    assert watch.sees(94, 96, 94, 96) == 0
    assert read(order_id).status is OrderStatus.OPEN


def test_a_stop_does_not_fire_without_a_visible_market(watch: Watch) -> None:
    order_id = stop(confirm=2)
    assert watch.sees(94) == 0
    watch.market.is_closed = True
    assert watch.sees(94, 94) == 0
    watch.market.is_closed = False
    assert watch.sees(94) == 0
    assert watch.sees(94) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_trailing_stop_follows_the_price_and_stores_the_best_one(watch: Watch) -> None:
    order_id = trailing()
    assert watch.sees(100, 110, 108, 106.8) == 0
    assert read(order_id).best_out == 110 * MILLION
    assert watch.sees(106.7) == 1


def test_a_trailing_stop_keeps_its_best_price_after_a_restart(begin: Begin) -> None:
    order_id = trailing()
    assert begin(Market()).sees(100, 110) == 0
    after = begin(Market())
    assert after.sees(107) == 0
    assert after.sees(106.7) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_lower_best_price_of_another_process_is_ignored(begin: Begin) -> None:
    order_id = trailing()
    late = begin(Market())
    assert late.sees(100) == 0
    assert begin(Market()).sees(110) == 0
    assert late.sees(105) == 0
    assert read(order_id).best_out == 110 * MILLION


def test_met_orders_are_sent_before_trailing_stops_are_updated(watch: Watch) -> None:
    follower, met = trailing(amount_in=3 * SOL), limit("105")
    watch.sees(100)
    sent: dict[int, list[UUID]] = {}

    def note() -> None:
        sent[watch.market.looks[-1]] = list(watch.queue.sent)

    watch.market.meanwhile = note
    assert watch.sees(106) == 1
    assert sent[SOL] == []
    assert sent[3 * SOL] == [met]
    assert read(follower).best_out == 318 * MILLION


def test_trailing_stops_beyond_the_time_budget_are_updated_in_the_next_pass(watch: Watch) -> None:
    """A pass stays short however many trailing stops follow a rising market."""
    stops = [trailing() for _ in range(3)]
    watch.sees(100)

    def take_time() -> None:
        watch.now[0] += SECONDS_PER_PASS / 2

    watch.market.meanwhile = take_time
    assert watch.sees(110) == 0
    passes = [watch.triggers.is_behind]
    while passes[-1]:
        watch.triggers.run_once()
        passes.append(watch.triggers.is_behind)
    assert len(passes) > 1
    assert [read(each).best_out for each in stops] == [110 * MILLION] * 3


def test_a_lasting_better_price_is_followed_without_another_quote(watch: Watch) -> None:
    order_id = trailing(confirm=2)
    assert watch.sees(100, 110) == 0
    assert read(order_id).best_out == 100 * MILLION
    watch.market.looks.clear()
    watch.market.slot += 1
    watch.triggers.run_once()
    assert read(order_id).best_out == 110 * MILLION
    assert watch.market.looks == []


def test_a_better_price_is_evaluated_again_soon_without_a_hint(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = trailing(confirm=2)
    watch.sees(100, 110)
    monkeypatch.setattr(watch.market, "hints", lambda _: 3)
    watch.triggers.run_once()
    watch.market.slot += 1
    watch.now[0] += SECOND_CHECK_SECONDS
    watch.triggers.run_once()
    assert read(order_id).best_out == 110 * MILLION


def test_two_peaks_with_a_lower_price_between_do_not_confirm_each_other(watch: Watch) -> None:
    order_id = trailing(confirm=2)
    assert watch.sees(100, 110, 98, 110, 98) == 0
    assert read(order_id).best_out == 100 * MILLION


def test_a_better_price_is_not_confirmed_when_the_market_becomes_invisible(watch: Watch) -> None:
    order_id = trailing(confirm=2)
    watch.sees(100, 110)
    watch.market.is_closed = True
    watch.sees(110)
    watch.market.is_closed = False
    watch.sees(110)
    assert read(order_id).best_out == 100 * MILLION
    watch.sees(110)
    assert read(order_id).best_out == 110 * MILLION


def test_a_large_trailing_stop_follows_the_price(watch: Watch) -> None:
    """Its own price impact does not matter for the best price; its exit decides about that."""
    watch.market.is_shallow = True
    order_id = trailing(amount_in=5_000 * SOL)
    assert watch.sees(100, 110) == 0
    assert read(order_id).best_out == 5_000 * 110 * MILLION


def test_a_child_that_waits_for_its_sibling_fires_soon_after_the_sibling_ended(watch: Watch) -> None:
    """The market does not move meanwhile."""
    waits, works, parent = stop(), pending(), pending()
    database.execute_sql("UPDATE orders SET parent_id = %s WHERE id <> %s", (str(parent), str(parent)))
    database.execute_sql("UPDATE orders SET looks_from = looks_from - interval '1 hour'")
    assert watch.sees(94) == 0
    journal.apply([Change(works, Cancelled(), None)])
    assert watch.triggers.run_once() == 0
    watch.now[0] += PAUSE_SECONDS
    assert watch.triggers.run_once() == 1
    assert read(waits).status is OrderStatus.PENDING


def test_an_order_that_rests_again_is_evaluated_after_its_pause(watch: Watch) -> None:
    order_id = limit()
    assert watch.sees(106) == 1
    rests_again(order_id)
    assert watch.triggers.run_once() == 1
    rests_again(order_id)
    database.execute_sql(
        "UPDATE orders SET looks_from = clock_timestamp() + interval '20 s' WHERE id = %s", (str(order_id),)
    )
    assert watch.sees(106, 106) == 0
    watch.now[0] += 20
    assert watch.triggers.run_once() == 1


def test_a_new_order_is_evaluated_at_once_in_an_idle_market(watch: Watch) -> None:
    first = limit()
    assert watch.sees(106) == 1
    second = limit()
    assert watch.triggers.run_once() == 1
    assert statuses([first, second]) == [OrderStatus.PENDING] * 2


def test_an_order_fires_after_an_outage_of_postgres_in_an_idle_market(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = limit()
    with monkeypatch.context() as away:
        away.setattr(journal, "apply_each", _away)
        with pytest.raises(OperationalError):
            watch.sees(106)
    assert watch.triggers.run_once() == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_best_price_that_could_not_be_stored_is_found_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = trailing()
    with monkeypatch.context() as away:
        away.setattr(resting, "raise_best", _away)
        with pytest.raises(OperationalError):
            watch.sees(110)
    assert watch.triggers.run_once() == 0
    assert read(order_id).best_out == 110 * MILLION


def test_an_order_that_began_to_rest_during_a_long_pass_is_not_missed(watch: Watch) -> None:
    limit("200")  # loads the pair
    assert watch.sees(106) == 0
    order_id = limit()
    database.execute_sql("UPDATE orders SET looks_from = looks_from - interval '20 s' WHERE id = %s", (str(order_id),))
    watch.now[0] += 20  # the duration of the pass
    assert watch.triggers.run_once() == 1


def test_an_order_missed_by_incremental_reads_is_found_by_a_full_read(watch: Watch) -> None:
    limit("200")
    assert watch.sees(106) == 0
    order_id = limit()
    database.execute_sql("UPDATE orders SET looks_from = looks_from - interval '20 s' WHERE id = %s", (str(order_id),))
    assert watch.sees(106) == 0
    watch.now[0] += READ_ALL_SECONDS
    assert watch.triggers.run_once() == 1


def test_an_order_that_no_longer_rests_is_forgotten(watch: Watch) -> None:
    gone, stays = limit("200"), limit("201")
    assert watch.sees(106) == 0
    assert len(watch.triggers) == 2
    journal.apply([Change(gone, Cancelled(), None)])
    watch.now[0] += READ_ALL_SECONDS
    assert watch.sees(106) == 0
    assert len(watch.triggers) == 1
    journal.apply([Change(stays, Cancelled(), None)])
    watch.now[0] += READ_ALL_SECONDS
    assert watch.sees(106) == 0
    assert len(watch.triggers) == 0


def test_an_order_that_may_not_fire_yet_is_retried_after_a_pause(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = limit()
    tries = list[Sequence[Change]]()

    def refuse(changes: Sequence[Change]) -> list[None]:
        tries.append(changes)
        return [None for _ in changes]

    with monkeypatch.context() as refused:
        refused.setattr(journal, "apply_each", refuse)
        assert watch.sees(106, 106, 106) == 0
    assert len(tries) == 1
    assert watch.triggers.run_once() == 0
    watch.now[0] += 1
    assert watch.triggers.run_once() == 1
    assert read(order_id).status is OrderStatus.PENDING


@pytest.mark.parametrize("seconds", [2.0, 0.4], ids=["hinted", "never hinted"])
def test_a_pair_without_hints_is_evaluated_less_often(begin: Begin, seconds: float) -> None:
    watch = begin(Market(), idle_seconds=seconds)
    limit()
    assert watch.sees(100) == 0
    watch.market.price, watch.market.pool = 106, object()
    watch.now[0] += seconds - 0.1
    assert watch.triggers.run_once() == 0
    watch.now[0] += 0.2
    assert watch.triggers.run_once() == 1


def test_pools_of_a_pair_are_looked_up_until_they_are_known(watch: Watch) -> None:
    order = limit()
    watch.market.is_known = False
    assert watch.sees(106) == 0
    assert watch.sees(106) == 0
    assert len(watch.market.learnt) == 2
    watch.market.is_known = True
    assert watch.sees(106) == 1
    assert statuses([order]) == [OrderStatus.PENDING]


def test_an_idle_market_is_not_queried(watch: Watch) -> None:
    limit(), stop()
    assert watch.sees(100) == 0
    watch.market.looks.clear()
    watch.market.slot += 1
    assert watch.triggers.run_once() == 0
    assert watch.market.looks == []


def test_an_order_that_cannot_be_stored_as_fired_does_not_block_others(watch: Watch) -> None:
    bad, good = limit(), limit("104")
    assert watch.sees(100) == 0
    database.execute_sql("ALTER TABLE orders ADD CHECK (id <> %s OR status <> 'pending')", (str(bad),))
    assert watch.sees(106) == 1
    assert statuses([bad, good]) == [OrderStatus.OPEN, OrderStatus.PENDING]


def _no_parts(order_id: UUID, amount_in: int) -> bool:
    raise AssertionError("no order of this module is partial")


def _away(*_: object) -> None:
    raise OperationalError("the server closed the connection")


# Orders on liquidity


def on_liquidity(**terms: Any) -> UUID:
    guards = {"min_liquidity": 1, "max_pool_fee_bps": 500, "max_round_trip_loss_bps": 1_000, "confirm": 1}
    return rests(OrderKind.ON_LIQUIDITY, limit_price="105", **guards | terms)


def objecting(begin: Begin, market: Market, objections: list[OrderdError | None]) -> Watch:
    """A process whose guards raise the first objection until the test removes it."""

    class Objecting(AnyMarket):
        def check(self, terms: OrderTerms, decision: RoutingDecision | None) -> None:
            if objections[0] is not None:
                raise objections[0]

    return begin(market, guards=Objecting())


def reasons(order_id: UUID) -> list[str]:
    events = views.events_after(order_id, 1)
    return [each.data.code or "" for each in events if isinstance(each.data, Deferred)]


def test_an_order_on_liquidity_reports_each_reason_once_and_fires_without_objections(begin: Begin) -> None:
    objections: list[OrderdError | None] = [OrderdError(ErrorCode.POOL_FEE, "6 %")]
    watch, order_id = objecting(begin, Market(110), objections), on_liquidity()
    assert watch.sees(110, 111, 112) == 0
    assert reasons(order_id) == [ErrorCode.POOL_FEE]
    objections[0] = OrderdError(ErrorCode.POOL_SHALLOW, "1 USDC")
    assert watch.sees(110, 111) == 0
    assert reasons(order_id) == [ErrorCode.POOL_FEE, ErrorCode.POOL_SHALLOW]
    objections[0] = None
    assert watch.sees(104) == 0, "the price is checked before the guards"
    assert reasons(order_id)[2:] == [ErrorCode.ROUTE_BELOW_FLOOR]
    assert watch.sees(106) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_reported_reason_is_known_to_the_next_process(begin: Begin) -> None:
    objections: list[OrderdError | None] = [OrderdError(ErrorCode.POOL_FEE, "6 %")]
    order_id = on_liquidity()
    assert objecting(begin, Market(110), objections).sees(110) == 0
    assert objecting(begin, Market(110), objections).sees(110) == 0
    assert reasons(order_id) == [ErrorCode.POOL_FEE]


def test_only_objections_to_the_token_are_reported_without_a_market(begin: Begin) -> None:
    objections: list[OrderdError | None] = [None]
    market = Market(110, missing=ErrorCode.ROUTE_NOT_FOUND)
    watch, order_id = objecting(begin, market, objections), on_liquidity()
    assert watch.sees(110, 111) == 0
    assert reasons(order_id) == []
    objections[0] = OrderdError(ErrorCode.ROUTE_TOKEN_POWERS, "mint_authority")
    assert watch.sees(110) == 0
    assert reasons(order_id) == [ErrorCode.ROUTE_TOKEN_POWERS]


def test_an_order_on_liquidity_is_evaluated_again_soon_without_a_pool_change(begin: Begin) -> None:
    objections: list[OrderdError | None] = [OrderdError(ErrorCode.ROUTE_TOKEN_POWERS, "mint_authority")]
    watch, order_id = objecting(begin, Market(110), objections), on_liquidity()
    assert watch.triggers.run_once() == 0
    objections[0] = None
    watch.now[0] += 0.9
    assert watch.triggers.run_once() == 0
    watch.now[0] += 0.2
    assert watch.triggers.run_once() == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_confirmation_restarts_after_an_objection(begin: Begin) -> None:
    objections: list[OrderdError | None] = [None]
    watch, order_id = objecting(begin, Market(110), objections), on_liquidity(confirm=2)
    assert watch.sees(110) == 0
    objections[0] = OrderdError(ErrorCode.POOL_SHALLOW, "it is gone")
    assert watch.sees(110) == 0
    objections[0] = None
    assert watch.sees(110) == 0
    assert watch.sees(110) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_pairs_with_orders_that_wait_for_pools_are_reported(begin: Begin) -> None:
    watch = begin(Market(100))
    limit()
    assert (watch.sees(100), watch.triggers.awaiting_pools) == (0, frozenset())
    order_id = on_liquidity()
    watch.sees(100)
    order = read(order_id)
    assert watch.triggers.awaiting_pools == {(order.mint_in, order.mint_out)}
    journal.apply([Change(order_id, Cancelled(), None)])
    watch.now[0] += READ_ALL_SECONDS + PAUSE_SECONDS
    watch.sees(100)
    watch.sees(100)
    assert watch.triggers.awaiting_pools == frozenset()
