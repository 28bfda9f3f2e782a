"""Orders of every kind while processes are killed: each fill is within its price, happens once, and no family of orders
sells more than was ordered."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from orderd.client.errors import AnswerLostError, RefusedError, UnreachableError
from orderd.domain.money import parse_amount
from orderd.domain.order import IDLE, TERMINAL, OrderKind, OrderStatus
from orderd.domain.price import PairPrice
from orderd.domain.trigger import limit_out
from orderd.domain.well_known import registry_of
from orderd.embedded.postgres import Postgres
from orderd.wire.orders import OrderView
from orderd.wire.submissions import SubmitParams
from tests.acceptance.judge import judge
from tests.acceptance.ledger import Landed, Ledger
from tests.acceptance.postgres_log import logged_errors
from tests.acceptance.prices import Prices
from tests.acceptance.trader import Trader, trading
from tests.chaos.storm import DAEMON, NODES, ORDERS, PATIENCE, SEED, storm, trade_through
from tests.samples.orders import OUTCOME_UNKNOWN, TWAP, history, order_after

_TOKENS: Final = registry_of("simnet")
_SALE: Final = {"token_in": "SOL", "token_out": "USDC"}
_PURCHASE: Final = {"token_in": "USDC", "token_out": "SOL"}
_MARKET: Final = Fraction(1015, 10)
"""The approximate first price of simnet's pools, in USDC per SOL."""
_WITH_VALIDITY: Final = 0.7
"""The part of the orders with a ``valid_for``."""
_POLL_SECONDS: Final = 0.5


def orders_of_all_kinds(count: int, seed: int) -> Iterator[SubmitParams]:
    """Random orders near the market price, most of them valid for some seconds."""
    chance = random.Random(seed)

    def price(parts: int) -> str:
        """A price at most ``parts`` thousandths away from the market; the sign of ``parts`` is the direction."""
        return f"{float(_MARKET * (1 + Fraction(chance.randint(1, abs(parts)) * (1 if parts > 0 else -1), 1000))):.4f}"

    def terms() -> dict[str, Any]:
        up, down = price(6), price(-6)
        sells = chance.random() < 0.5
        side = {**(_SALE if sells else _PURCHASE), "amount_in": "0.2" if sells else "20"}
        better, worse = (up, down) if sells else (down, up)
        return side | chance.choice(
            [
                {},
                {"limit_price": chance.choice([better, worse])},
                {"limit_price": worse, "time_in_force": chance.choice(["ioc", "fok"])},
                {"limit_price": better, "partial": True, "min_fill": "20"},
                {"stop_price": worse, "confirm": chance.choice([1, 2, 3])},
                {"stop_price": worse, "limit_price": worse},
                {"take_profit_price": better},
                {"trail": chance.choice(["0.1%", "0.3%", "0.05"])},
                {"take_profit_price": better, "stop_price": worse},
                {"limit_price": worse, "min_liquidity": "1", "allow": "mint_authority"},
                # An exit sells what was bought when the market reaches one of two prices.
                {"then_take_profit": worse, "then_stop": better},
                {"limit_price": better, "then_take_profit": worse},
                {"slices": 3, "every": "2s", "jitter": "20"},
                {"slices": 2, "every": "3s", "limit_price": worse},
            ]
        )

    for _ in range(count):
        valid_for = f"{chance.randint(5, 30)}s" if chance.random() < _WITH_VALIDITY else None
        yield SubmitParams(client_order_id=uuid4().hex, slippage="2", valid_for=valid_for, **terms())


def trade_all_kinds(
    state_dir: Path, *, orders: int, kills: Sequence[str], seed: int, seconds: float, nodes: str = "one"
) -> None:
    with (
        storm(
            state_dir,
            nodes=nodes,
            ORDERD_RATE_LIMIT="0",
            ORDERD_MAX_OPEN_PER_KEY="0",
            ORDERD_SIMNET_MARKET="true",
            ORDERD_SIMNET_SEED=str(seed),
        ) as killed,
        trading(killed.url) as trader,
    ):
        ledger = Ledger(state_dir)
        before = ledger.balances()

        def submit_all(wave: Sequence[SubmitParams]) -> None:
            for params in wave:
                try:
                    trader.submit(params)
                except RefusedError as refused:
                    # The market has passed the price of the order, or the price is unknown.
                    if refused.problem.code.category not in ("PRICE", "ROUTE", "RPC"):
                        raise

        wanted = list(orders_of_all_kinds(orders, seed))
        trade_through([partial(killed.kill, name) for name in kills], submit_all, wanted, seed=seed)
        if nodes == "pool":
            _settled(trader, seconds, is_calm=False)
        killed.calm_down()
        prices = Prices(state_dir)
        prices.wait(prices.set(str(float(_MARKET))))
        for order in _settled(trader, seconds):
            with suppress(RefusedError):  # a child has ended with its parent
                trader.cancel(order.id)
        all_orders = _when_all_have_ended(trader, seconds)
        transactions = ledger.transactions()
        verdict, _ = judge(Postgres(state_dir).url, ledger, before, trader.acknowledged)
        assert verdict.is_clean, verdict
        assert {each.reserved for each in trader.balances()} == {"0"}
        assert logged_errors(state_dir) == []
    _check_that_fills_are_within_their_limits(all_orders, transactions)
    _check_that_families_sold_no_more_than_ordered(all_orders, transactions)
    filled = Counter(order.kind for order in all_orders.values() if order.status is OrderStatus.CONFIRMED)
    print(dict(filled))  # noqa: T201  (make chaos shows it)
    # A daemon that fills no order would pass these checks too.
    assert len(filled) >= min(len(OrderKind) - 1, orders // 20)
    assert sum(filled.values()) > orders / 3


def _settled(trader: Trader, seconds: float, *, is_calm: bool = True) -> list[OrderView]:
    """The resting orders when nothing else is active. If ``is_calm``, the market does not move and must meet no limit.

    Otherwise the market moves, and outcomes may be unknown.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            active = [order for order in trader.orders() if order.status not in TERMINAL]
        except (UnreachableError, AnswerLostError):
            continue  # the daemon restarts
        awaited = _awaited(active, is_calm=is_calm)
        if not awaited:
            resting = [order for order in active if _is_resting(order)]
            limits = [order for order in resting if order.kind is OrderKind.LIMIT]
            met = [order for order in limits if is_calm and trader.would_fill(order.id)]
            if not met:
                return resting
            assert time.monotonic() < until, f"the market meets the limit of {met[0].id}, which rests"
        assert time.monotonic() < until, awaited
        time.sleep(_POLL_SECONDS)  # not a wait for an event: the test checks that there is none


def _awaited(active: Sequence[OrderView], *, is_calm: bool) -> list[UUID]:
    """The orders that must end or rest. Unless ``is_calm``, these are not the ones that wait for an unknown outcome.

    Such an outcome may stay unknown until the chain is calm. A TWAP waits for the outcome of its slice.
    """
    unknown = [order for order in active if not is_calm and order.unknown_since is not None]
    waiting = {order.id for order in unknown} | {order.parent_id for order in unknown}
    return [order.id for order in active if not _is_resting(order) and order.id not in waiting]


def _is_resting(order: OrderView) -> bool:
    return order.status in IDLE and order.kind is not OrderKind.TWAP


def test_a_twap_is_awaited_unless_the_outcome_of_its_slice_is_unknown() -> None:
    twap = order_after(history((TWAP,)))
    first = OUTCOME_UNKNOWN[0].model_copy(update={"parent_id": twap.id})
    submitted, unknown = (
        order_after(history((first, *facts), uuid4())) for facts in (OUTCOME_UNKNOWN[1:-1], OUTCOME_UNKNOWN[1:])
    )
    assert _awaited([twap, unknown], is_calm=False) == []
    assert _awaited([twap, submitted], is_calm=False) == [twap.id, submitted.id]
    assert _awaited([twap, unknown], is_calm=True) == [twap.id, unknown.id]


def _when_all_have_ended(trader: Trader, seconds: float) -> Mapping[UUID, OrderView]:
    """All orders, with children, which end with their parents."""
    found = {order.id: order for order in trader.orders()}
    for order_id in [order.id for order in found.values() if order.status not in TERMINAL]:
        trader.follow(order_id, seconds)
    return {order.id: order for order in trader.orders()}


def _succeeded(transactions: Sequence[Landed]) -> dict[UUID, list[Landed]]:
    found = defaultdict(list)
    for each in transactions:
        if each.succeeded:
            found[each.order_id].append(each)
    return found


def _check_that_fills_are_within_their_limits(orders: Mapping[UUID, OrderView], transactions: Sequence[Landed]) -> None:
    for order_id, (landed,) in _succeeded(transactions).items():
        order = orders[order_id]
        sold, bought = _TOKENS.pair(order.token_in, order.token_out)
        given, got = -landed.received[sold.mint], landed.received[bought.mint]
        assert given == parse_amount(order.amount_in or "", sold.decimals)
        assert order.min_amount_out is not None
        assert got >= parse_amount(order.min_amount_out, bought.decimals)
        if order.limit_price is not None:
            assert got >= limit_out(PairPrice(sold, bought), given, order.limit_price), order


def _check_that_families_sold_no_more_than_ordered(
    orders: Mapping[UUID, OrderView], transactions: Sequence[Landed]
) -> None:
    sold_by: dict[UUID, int] = defaultdict(int)
    for order_id, (landed,) in _succeeded(transactions).items():
        child = orders[order_id]
        if child.parent_id is not None:
            sold_by[child.parent_id] -= landed.received[_TOKENS.resolve(child.token_in).mint]
    for parent in filter(_is_family, orders.values()):
        decimals = _TOKENS.resolve(parent.token_in).decimals
        sold = sold_by[parent.id]
        if parent.amount_in is None:
            assert sold == 0, "an order that was held sold something"
            continue
        assert sold <= parse_amount(parent.amount_in or "", decimals), parent
        recorded = 0 if parent.filled_amount_in is None else parse_amount(parent.filled_amount_in, decimals)
        assert recorded == sold, parent
        if parent.status is OrderStatus.CONFIRMED:
            assert sold == parse_amount(parent.amount_in or "", decimals)


def _is_family(order: OrderView) -> bool:
    return order.partial or order.kind in (OrderKind.OCO, OrderKind.TWAP)


@pytest.mark.chaos
@pytest.mark.timeout(2 * PATIENCE[NODES])
def test_orders_of_all_kinds_survive_the_kill_of_every_process(tmp_path: Path) -> None:
    kills = ["worker", DAEMON, "gateway", "worker", "simnet", DAEMON, "worker"]
    random.Random(SEED).shuffle(kills)
    trade_all_kinds(tmp_path, orders=ORDERS, kills=kills, seed=SEED, seconds=PATIENCE[NODES], nodes=NODES)
