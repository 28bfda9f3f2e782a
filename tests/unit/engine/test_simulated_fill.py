"""What an order would do now, in a market that pays one price for any amount."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.exits import stop_of, take_profit_of
from orderd.domain.money import format_amount
from orderd.domain.order import OrderKind, TimeInForce
from orderd.domain.parts import part_of
from orderd.domain.quote import QuoteRequest
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import registry_of
from orderd.engine.next_execution import NextExecution, PlannedExecution
from orderd.engine.simulated_fill import simulate
from orderd.wire.quotes import PreviewResult, QuoteResult, SimulatedFill
from tests.samples.orders import QUOTE

TOKENS = registry_of("simnet").pair("SOL", "USDC")
SOL, USDC = 10**9, 10**6


def terms(amount_in: int = SOL, **others: Any) -> OrderTerms:
    return OrderTerms(*TOKENS, amount_in=amount_in, slippage_bps=50, **others)


class Market:
    """Pays ``price`` per SOL, and half of it for amounts above ``deep`` SOL."""

    def __init__(self, price: int, deep: int = 10**6) -> None:
        self._price = price
        self._deep = deep
        self.previewed: list[OrderTerms] = []

    def paid(self, request: QuoteRequest) -> int:
        price = self._price if request.amount <= self._deep * SOL else self._price / 2
        return int(request.amount * price * USDC / SOL)

    def quote(self, order: OrderTerms, executed: OrderTerms) -> QuoteResult:
        part = format_amount(executed.amount, 9) if executed.amount != order.amount else None
        return QUOTE.model_copy(update={"part_in": part})

    def preview(self, order: OrderTerms, executed: OrderTerms) -> PreviewResult:
        self.previewed.append(executed)
        quote = self.quote(order, executed)
        return PreviewResult(quote=quote, succeeds=True, error=None, units_consumed=9, network_fee="0.1", logs=("log",))

    def would(self, following: NextExecution) -> SimulatedFill:
        return simulate(following, self.paid, self.quote, self.preview)


def resting(order: OrderTerms, **others: Any) -> NextExecution:
    return NextExecution(order, (PlannedExecution(order, order.trigger or order.limit),), **others)


def test_a_market_order_would_be_executed() -> None:
    market = Market(100)
    found = market.would(NextExecution(terms(), (PlannedExecution(terms()),)))

    assert (found.would, found.waits_for, found.units_consumed) == ("execute", (), 9)
    assert market.previewed == [terms()]


LIMIT = terms(kind=OrderKind.LIMIT, limit_price="105", time_in_force=TimeInForce.GTC)
STOP = terms(kind=OrderKind.STOP, stop_price="95")


@pytest.mark.parametrize(
    ("order", "price", "would", "away", "is_simulated"),
    [
        (LIMIT, 100, "rest", "5", False),
        (LIMIT, 106, "execute", "0", True),
        (STOP, 100, "rest", "5", True),
        (STOP, 94, "execute", "0", True),
    ],
)
def test_a_resting_order_reports_the_distance_to_its_price_and_simulates_its_trade(
    order: OrderTerms, price: int, would: str, away: str, is_simulated: bool
) -> None:
    found = Market(price).would(resting(order))

    (awaited,) = found.waits_for
    assert (found.would, awaited.away, awaited.is_met) == (would, away, would == "execute")
    assert (found.succeeds, found.units_consumed is not None) == (True, is_simulated)


def test_a_trailing_stop_trails_the_higher_of_best_and_current_price() -> None:
    order = terms(kind=OrderKind.TRAILING, trail="3%")
    (before,) = Market(100).would(resting(order)).waits_for
    (after,) = Market(100).would(resting(order, best_out=200 * USDC)).waits_for

    assert (before.price, before.away, before.is_met) == ("97", "3", False)
    assert (after.price, after.away, after.is_met) == ("194", "0", True)


def test_a_trail_as_long_as_the_price_never_fires() -> None:
    (awaited,) = Market(100).would(resting(terms(kind=OrderKind.TRAILING, trail="250"))).waits_for

    assert (awaited.price, awaited.away) == (None, None)


@pytest.mark.parametrize(
    ("price", "kind", "would"), [(100, "stop", "rest"), (118, "take_profit", "rest"), (94, "stop", "execute")]
)
def test_both_children_of_an_oco_are_reported_and_the_nearer_one_is_simulated(
    price: int, kind: str, would: str
) -> None:
    order = terms(kind=OrderKind.OCO, take_profit_price="120", stop_price="95", max_slippage_bps=500)
    ends = (take_profit_of(order), stop_of(order))
    market = Market(price)
    found = market.would(NextExecution(order, tuple(PlannedExecution(end, end.trigger) for end in ends)))

    assert [awaited.kind for awaited in found.waits_for] == ["take_profit", "stop"]
    assert [each.kind for each in market.previewed] == [kind]
    assert found.would == would


@pytest.mark.parametrize(
    ("minutes", "paused", "would"), [(-1, False, "execute"), (1, False, "rest"), (-1, True, "rest")]
)
def test_the_next_execution_waits_for_its_time(minutes: int, paused: bool, would: str) -> None:
    order = terms(4 * SOL, kind=OrderKind.TWAP, slices=4)
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    executions = (PlannedExecution(part_of(order, SOL)),)
    found = Market(100).would(NextExecution(order, executions, at=at, paused=paused))

    assert (found.would, found.at, found.quote.part_in) == (would, at, "1")


PARTS = terms(10 * SOL, kind=OrderKind.LIMIT, limit_price="100", partial=True, time_in_force=TimeInForce.GTC)


@pytest.mark.parametrize(
    ("price", "deep", "part", "would"),
    [(100, 20, None, "execute"), (100, 4, "3.9", "execute"), (100, 0, "1", "rest"), (99, 20, "1", "rest")],
)
def test_the_part_that_meets_the_limit_is_simulated(price: int, deep: int, part: str | None, would: str) -> None:
    found = Market(price, deep).would(NextExecution(PARTS, (PlannedExecution(PARTS, PARTS.limit),), least=SOL))

    assert found.would == would
    assert (found.quote.part_in or "")[:3] == (part or "")


def test_a_part_without_a_route_does_not_meet_the_limit() -> None:
    class Shallow(Market):
        def paid(self, request: QuoteRequest) -> int:
            if request.amount > 4 * SOL and request.has_own_floor:
                raise OrderdError(ErrorCode.ROUTE_NOT_FOUND, "too much for the pools")
            return super().paid(request)

    found = Shallow(101).would(NextExecution(PARTS, (PlannedExecution(PARTS, PARTS.limit),), least=SOL))
    assert (found.would, (found.quote.part_in or "")[:3]) == ("execute", "3.9")
