"""Orders that rest go on when the market meets their price: once, as they are stored, and none is missed."""

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
from orderd.engine.routing.outline import Outline
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.triggers.followers import SECONDS_PER_PASS
from orderd.engine.triggers.watch import SECOND_LOOK_SECONDS, Triggers
from tests.integration.engine.conftest import Queue
from tests.integration.engine.test_execution import QUOTE
from tests.integration.orders import new_order, pending, read

SOL = 10**9
MILLION = 10**6
PAUSE_SECONDS = 1.0
READ_ALL_SECONDS = 30.0


@dataclass
class Market:
    """Plays the router: one pool that buys SOL at ``price``, in USDC, and whose state is another in each ``slot``."""

    price: float = 100.0
    slot: int = 1
    is_closed: bool = False
    is_shallow: bool = False
    pool: object = field(default_factory=object)
    looks: list[int] = field(default_factory=list)
    missing: ErrorCode | None = None
    dearer: float = 0.0
    cost: int = 0
    """A better price, and what it costs to take it, in base units of USDC."""
    meanwhile: Callable[[], object] = lambda: None
    """Happens while the market is looked at."""
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
            raise OrderdError(self.missing, "there is none")
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
    """A process' triggers, on a market and a clock of the test's."""

    market: Market
    queue: Queue
    triggers: Triggers
    now: list[float]

    def sees(self, *prices: float) -> int:
        """How many orders have fired at these prices, each of a slot of its own."""
        fired = 0
        for price in prices:
            self.market.moves(price)
            fired += self.triggers.run_once()
        return fired


Check = Callable[[OrderTerms, RoutingDecision | None], object]


class Begin(Protocol):
    """Let a process begin to watch the pairs that are its own."""

    def __call__(
        self, market: Market, is_mine: Callable[[Pair], bool] = ..., *, idle_seconds: float = ..., check: Check = ...
    ) -> Watch: ...


@pytest.fixture
def begin(publisher: Publisher) -> Begin:
    def watch(
        market: Market,
        is_mine: Callable[[Pair], bool] = lambda _: True,
        *,
        idle_seconds: float = 2.0,
        check: Check = lambda _, __: None,
    ) -> Watch:
        queue, now = Queue(), [1_000.0]
        triggers = Triggers(
            cast("Router", market),
            lambda _: True,
            publisher,
            queue.send,
            _no_parts,
            is_mine,
            check=check,
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
    """It is claimed, and its try fails."""
    order = read(order_id)
    fact = Deferred(until=order.updated_at, reason="away")
    (claimed,) = journal.claim([order_id], "worker-a", 15)
    assert journal.apply([Change(order_id, fact, claimed.order.version, to=OrderStatus.OPEN)])


def test_what_the_market_meets_is_in_line_and_in_the_queue_and_says_what_was_met(watch: Watch) -> None:
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


def test_an_order_that_can_afford_a_dearer_route_is_not_missed(watch: Watch) -> None:
    """The smallest amount of its size, of which the market is asked first, would be paid no more than 100."""
    watch.market.dearer, watch.market.cost = 105.5, 5 * MILLION
    limit("105", amount_in=SOL)
    assert watch.sees(100) == 1


def test_a_gap_through_all_prices_fires_all_the_farthest_first(watch: Watch) -> None:
    near, far = limit("110"), limit("101")
    assert watch.sees(100) == 0
    assert watch.sees(120) == 2
    assert watch.queue.sent == [far, near]


def test_what_fires_does_so_once(watch: Watch) -> None:
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


def test_a_best_price_of_what_was_sold_before_it_was_amended_is_none_of_the_order(watch: Watch) -> None:
    order_id = trailing(amount_in=2 * SOL)
    halve = "UPDATE orders SET version = version + 1, amount_in = %s WHERE id = %s AND amount_in = %s"
    watch.market.meanwhile = lambda: database.execute_sql(halve, (SOL, str(order_id), 2 * SOL))
    assert watch.sees(100, 100) == 0
    assert read(order_id).best_out == 100 * MILLION


def test_an_order_that_was_cancelled_in_the_slot_of_its_price_is_not_fired(watch: Watch) -> None:
    order_id = limit()
    assert watch.sees(100) == 0
    journal.apply([Change(order_id, Cancelled(), None)])
    assert watch.sees(106) == 0
    assert read(order_id).status is OrderStatus.CANCELLED
    assert watch.queue.sent == []


def test_nor_is_one_that_becomes_another_while_the_market_is_looked_at(watch: Watch) -> None:
    order_id = limit()
    amend = "UPDATE orders SET version = version + 1, limit_price = 200 WHERE id = %s AND limit_price = 105"
    watch.market.meanwhile = lambda: database.execute_sql(amend, (str(order_id),))
    assert watch.sees(106) == 0
    assert read(order_id).status is OrderStatus.OPEN
    assert watch.sees(106) == 0
    assert watch.sees(200) == 1


def test_nor_one_whose_validity_has_ended(watch: Watch) -> None:
    order_id = limit()
    assert watch.sees(100) == 0
    database.execute_sql("UPDATE orders SET valid_until = now() WHERE id = %s", (str(order_id),))
    assert watch.sees(106) == 0
    assert read(order_id).status is OrderStatus.OPEN, "it is for dispatch to end it"


def test_a_stop_is_confirmed_though_nobody_trades_meanwhile(watch: Watch) -> None:
    order_id = stop(confirm=2)
    assert watch.sees(94) == 0
    assert watch.triggers.run_once() == 0, "the same slot is the same look"
    watch.market.slot += 1
    assert watch.triggers.run_once() == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_stop_that_one_trade_would_fool_is_not_fired(watch: Watch) -> None:
    order_id = stop(confirm=2)
    assert watch.sees(94, 96, 94, 96) == 0
    assert read(order_id).status is OrderStatus.OPEN


def test_a_stop_is_not_fired_by_a_market_that_nobody_can_see(watch: Watch) -> None:
    order_id = stop(confirm=2)
    assert watch.sees(94) == 0
    watch.market.is_closed = True
    assert watch.sees(94, 94) == 0
    watch.market.is_closed = False
    assert watch.sees(94) == 0
    assert watch.sees(94) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_trailing_stop_follows_the_price_and_its_best_one_is_stored(watch: Watch) -> None:
    order_id = trailing()
    assert watch.sees(100, 110, 108, 106.8) == 0
    assert read(order_id).best_out == 110 * MILLION
    assert watch.sees(106.7) == 1


def test_after_a_restart_it_is_behind_the_same_best_price(begin: Begin) -> None:
    order_id = trailing()
    assert begin(Market()).sees(100, 110) == 0
    after = begin(Market())
    assert after.sees(107) == 0
    assert after.sees(106.7) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_process_that_saw_less_lowers_no_best_price(begin: Begin) -> None:
    order_id = trailing()
    late = begin(Market())
    assert late.sees(100) == 0
    assert begin(Market()).sees(110) == 0
    assert late.sees(105) == 0
    assert read(order_id).best_out == 110 * MILLION


def test_an_order_that_is_met_is_sent_before_trailing_stops_follow_the_price(watch: Watch) -> None:
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


def test_trailing_stops_that_no_time_is_left_for_follow_after_the_next_pass(watch: Watch) -> None:
    """So that a pass stays short however many of them a market that rises has."""
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


def test_a_better_price_that_lasts_is_followed_without_another_quote(watch: Watch) -> None:
    order_id = trailing(confirm=2)
    assert watch.sees(100, 110) == 0
    assert read(order_id).best_out == 100 * MILLION
    watch.market.looks.clear()
    watch.market.slot += 1
    watch.triggers.run_once()
    assert read(order_id).best_out == 110 * MILLION
    assert watch.market.looks == []


def test_a_better_price_is_looked_at_again_soon_without_a_hint(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = trailing(confirm=2)
    watch.sees(100, 110)
    monkeypatch.setattr(watch.market, "hints", lambda _: 3)
    watch.triggers.run_once()
    watch.market.slot += 1
    watch.now[0] += SECOND_LOOK_SECONDS
    watch.triggers.run_once()
    assert read(order_id).best_out == 110 * MILLION


def test_two_prices_that_have_fallen_between_do_not_confirm_each_other(watch: Watch) -> None:
    order_id = trailing(confirm=2)
    assert watch.sees(100, 110, 98, 110, 98) == 0
    assert read(order_id).best_out == 100 * MILLION


def test_a_better_price_that_nobody_can_see_any_more_is_not_confirmed(watch: Watch) -> None:
    order_id = trailing(confirm=2)
    watch.sees(100, 110)
    watch.market.is_closed = True
    watch.sees(110)
    watch.market.is_closed = False
    watch.sees(110)
    assert read(order_id).best_out == 100 * MILLION
    watch.sees(110)
    assert read(order_id).best_out == 110 * MILLION


def test_a_large_trailing_stop_follows_the_price_too(watch: Watch) -> None:
    """However much it would move the market: what it may lose is for its exit to say."""
    watch.market.is_shallow = True
    order_id = trailing(amount_in=5_000 * SOL)
    assert watch.sees(100, 110) == 0
    assert read(order_id).best_out == 5_000 * 110 * MILLION


def test_one_of_a_family_that_has_to_wait_for_another_fires_a_moment_after_that_has_ended(watch: Watch) -> None:
    """Though the market stands still meanwhile."""
    waits, works, parent = stop(), pending(), pending()
    database.execute_sql("UPDATE orders SET parent_id = %s WHERE id <> %s", (str(parent), str(parent)))
    database.execute_sql("UPDATE orders SET looks_from = looks_from - interval '1 hour'")
    assert watch.sees(94) == 0
    journal.apply([Change(works, Cancelled(), None)])
    assert watch.triggers.run_once() == 0
    watch.now[0] += PAUSE_SECONDS
    assert watch.triggers.run_once() == 1
    assert read(waits).status is OrderStatus.PENDING


def test_what_rests_again_is_looked_at_again_when_its_pause_is_over(watch: Watch) -> None:
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


def test_one_that_is_accepted_in_a_market_that_stands_still_is_looked_at_at_once(watch: Watch) -> None:
    first = limit()
    assert watch.sees(106) == 1
    second = limit()
    assert watch.triggers.run_once() == 1
    assert statuses([first, second]) == [OrderStatus.PENDING] * 2


def test_what_could_not_be_stored_fires_when_postgres_is_back_though_the_market_stands_still(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = limit()
    with monkeypatch.context() as away:
        away.setattr(journal, "apply_each", _away)
        with pytest.raises(OperationalError):
            watch.sees(106)
    assert watch.triggers.run_once() == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_a_best_price_that_could_not_be_stored_is_seen_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = trailing()
    with monkeypatch.context() as away:
        away.setattr(resting, "raise_best", _away)
        with pytest.raises(OperationalError):
            watch.sees(110)
    assert watch.triggers.run_once() == 0
    assert read(order_id).best_out == 110 * MILLION


def test_what_began_to_rest_while_nobody_could_look_is_not_missed(watch: Watch) -> None:
    limit("200")  # its pair has been read
    assert watch.sees(106) == 0
    order_id = limit()
    database.execute_sql("UPDATE orders SET looks_from = looks_from - interval '20 s' WHERE id = %s", (str(order_id),))
    watch.now[0] += 20  # so long a pass has taken
    assert watch.triggers.run_once() == 1


def test_what_both_readings_have_missed_is_found_when_the_pair_is_read_again(watch: Watch) -> None:
    limit("200")
    assert watch.sees(106) == 0
    order_id = limit()
    database.execute_sql("UPDATE orders SET looks_from = looks_from - interval '20 s' WHERE id = %s", (str(order_id),))
    assert watch.sees(106) == 0
    watch.now[0] += READ_ALL_SECONDS
    assert watch.triggers.run_once() == 1


def test_what_rests_no_more_is_forgotten(watch: Watch) -> None:
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


def test_what_may_not_fire_now_is_tried_again_after_a_pause(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_pair_of_which_no_hint_comes_is_left_alone_for_a_while(begin: Begin, seconds: float) -> None:
    watch = begin(Market(), idle_seconds=seconds)
    limit()
    assert watch.sees(100) == 0
    watch.market.price, watch.market.pool = 106, object()
    watch.now[0] += seconds - 0.1
    assert watch.triggers.run_once() == 0
    watch.now[0] += 0.2
    assert watch.triggers.run_once() == 1


def test_a_pair_whose_pools_are_not_known_is_looked_up_until_they_are(watch: Watch) -> None:
    order = limit()
    watch.market.is_known = False
    assert watch.sees(106) == 0
    assert watch.sees(106) == 0
    assert len(watch.market.learnt) == 2
    watch.market.is_known = True
    assert watch.sees(106) == 1
    assert statuses([order]) == [OrderStatus.PENDING]


def test_a_market_that_stands_still_is_asked_for_nothing(watch: Watch) -> None:
    limit(), stop()
    assert watch.sees(100) == 0
    watch.market.looks.clear()
    watch.market.slot += 1
    assert watch.triggers.run_once() == 0
    assert watch.market.looks == []


def test_an_order_that_the_database_refuses_to_fire_keeps_nobody_else(watch: Watch) -> None:
    bad, good = limit(), limit("104")
    assert watch.sees(100) == 0
    database.execute_sql("ALTER TABLE orders ADD CHECK (id <> %s OR status <> 'pending')", (str(bad),))
    assert watch.sees(106) == 1
    assert statuses([bad, good]) == [OrderStatus.OPEN, OrderStatus.PENDING]


def _no_parts(order_id: UUID, amount_in: int) -> bool:
    raise AssertionError("none of these orders is executed in parts")


def _away(*_: object) -> None:
    raise OperationalError("the server closed the connection")


# Orders on liquidity


def on_liquidity(**terms: Any) -> UUID:
    guards = {"min_liquidity": 1, "max_pool_fee_bps": 500, "max_round_trip_loss_bps": 1_000, "confirm": 1}
    return rests(OrderKind.ON_LIQUIDITY, limit_price="105", **guards | terms)


def objecting(begin: Begin, market: Market, objections: list[OrderdError | None]) -> Watch:
    """The first objection stands until it is taken away."""

    def check(terms: OrderTerms, decision: RoutingDecision | None) -> None:
        if objections[0] is not None:
            raise objections[0]

    return begin(market, check=check)


def reasons(order_id: UUID) -> list[str]:
    events = views.events_after(order_id, 1)
    return [each.data.code or "" for each in events if isinstance(each.data, Deferred)]


def test_one_on_liquidity_is_reported_once_what_keeps_it_and_fires_when_nothing_does(begin: Begin) -> None:
    objections: list[OrderdError | None] = [OrderdError(ErrorCode.POOL_FEE, "6 %")]
    watch, order_id = objecting(begin, Market(110), objections), on_liquidity()
    assert watch.sees(110, 111, 112) == 0
    assert reasons(order_id) == [ErrorCode.POOL_FEE]
    objections[0] = OrderdError(ErrorCode.POOL_SHALLOW, "1 USDC")
    assert watch.sees(110, 111) == 0
    assert reasons(order_id) == [ErrorCode.POOL_FEE, ErrorCode.POOL_SHALLOW]
    objections[0] = None
    assert watch.sees(104) == 0, "its price is looked at first"
    assert reasons(order_id)[2:] == [ErrorCode.ROUTE_BELOW_FLOOR]
    assert watch.sees(106) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_what_it_was_told_is_known_to_whoever_watches_next(begin: Begin) -> None:
    objections: list[OrderdError | None] = [OrderdError(ErrorCode.POOL_FEE, "6 %")]
    order_id = on_liquidity()
    assert objecting(begin, Market(110), objections).sees(110) == 0
    assert objecting(begin, Market(110), objections).sees(110) == 0
    assert reasons(order_id) == [ErrorCode.POOL_FEE]


def test_without_a_market_it_is_told_what_is_wrong_with_the_token_and_else_nothing(begin: Begin) -> None:
    objections: list[OrderdError | None] = [None]
    market = Market(110, missing=ErrorCode.ROUTE_NOT_FOUND)
    watch, order_id = objecting(begin, market, objections), on_liquidity()
    assert watch.sees(110, 111) == 0
    assert reasons(order_id) == []
    objections[0] = OrderdError(ErrorCode.ROUTE_TOKEN_POWERS, "mint_authority")
    assert watch.sees(110) == 0
    assert reasons(order_id) == [ErrorCode.ROUTE_TOKEN_POWERS]


def test_it_is_looked_at_again_soon_although_no_pool_has_changed(begin: Begin) -> None:
    objections: list[OrderdError | None] = [OrderdError(ErrorCode.ROUTE_TOKEN_POWERS, "mint_authority")]
    watch, order_id = objecting(begin, Market(110), objections), on_liquidity()
    assert watch.triggers.run_once() == 0
    objections[0] = None
    watch.now[0] += 0.9
    assert watch.triggers.run_once() == 0
    watch.now[0] += 0.2
    assert watch.triggers.run_once() == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_what_has_to_be_confirmed_begins_again_when_it_is_not_so(begin: Begin) -> None:
    objections: list[OrderdError | None] = [None]
    watch, order_id = objecting(begin, Market(110), objections), on_liquidity(confirm=2)
    assert watch.sees(110) == 0
    objections[0] = OrderdError(ErrorCode.POOL_SHALLOW, "it is gone")
    assert watch.sees(110) == 0
    objections[0] = None
    assert watch.sees(110) == 0
    assert watch.sees(110) == 1
    assert read(order_id).status is OrderStatus.PENDING


def test_the_pairs_on_which_somebody_waits_for_pools_are_reported(begin: Begin) -> None:
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
