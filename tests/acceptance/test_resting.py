"""Orders that wait for a price that the test sets: when they trade, at what price, for how long, and after failures."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from benchmarks.processes import KeptDown, pid_of, send
from orderd.client.errors import RefusedError
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Routed
from orderd.domain.order import EventKind, OrderStatus
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.process.roles import ListeningRole
from orderd.process.temporary import Daemon, running_daemon
from orderd.wire.submissions import SubmitParams
from tests.acceptance.cluster import Cluster, cluster_over
from tests.acceptance.ledger import Landed, Ledger
from tests.acceptance.orderctl.conftest import ORDERCTL
from tests.acceptance.prices import Prices
from tests.acceptance.trader import Trader, trading
from tests.conftest import QUICK

SECONDS: Final = 60.0
TTL_SECONDS: Final = 2
SETTINGS: Final = QUICK | {"ORDERD_POOL_MAX_AGE_MS": "0", "ORDERD_ORDER_TTL_SECONDS": str(TTL_SECONDS)}
SLOTS_PER_SECOND: Final = 40
PAUSE_SECONDS: Final = 0.02
SOL: Final = 10**9


class Desk:
    """A trader at a daemon whose market price the test controls, and the chain's own ledger."""

    def __init__(self, daemon: Daemon, trader: Trader) -> None:
        self.daemon = daemon
        self.trader = trader
        self.prices = Prices(daemon.log.parent)
        self.ledger = Ledger(daemon.log.parent)

    def set_price(self, price: str) -> None:
        """Set the market price and wait for its slot."""
        self.prices.wait(self.prices.set(price))

    def submit(self, amount: str = "0.5", sells: str = "SOL", **terms: Any) -> UUID:
        buys = "USDC" if sells == "SOL" else "SOL"
        pair = {"token_in": sells, "token_out": buys, "amount_in": amount, "client_order_id": uuid4().hex}
        return self.trader.submit(SubmitParams.model_validate({**pair, **terms}))

    def orderctl(self, *args: str) -> Any:
        """The JSON document that the command prints."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("ORDERCTL_")}
        env |= {"ORDERCTL_URL": self.daemon.url, "ORDERCTL_CONFIG": os.devnull}
        command = [str(ORDERCTL), *args, "-o", "json"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=SECONDS)
        return json.loads(done.stdout)

    def status(self, order_id: UUID) -> OrderStatus:
        return self.trader.detail(order_id).order.status

    def wait_for_end(self, order_id: UUID) -> OrderStatus:
        return self.trader.follow(order_id, SECONDS)[-1].status

    def wait_for_event(self, order_id: UUID, kind: EventKind) -> None:
        self.trader.wait_for_event(order_id, kind, SECONDS)

    def landed(self, order_id: UUID) -> list[Landed]:
        """The order's successful transactions."""
        return [each for each in self.ledger.transactions() if each.order_id == order_id and each.succeeded]

    def executed_price(self, order_id: UUID) -> Decimal:
        """The price of the order's only fill, in USDC per SOL, from the chain's balances."""
        (fill,) = self.landed(order_id)
        return abs(Decimal(fill.received[USDC_MINT]) * 1_000 / fill.received[WSOL_MINT])

    def kinds(self, order_id: UUID) -> list[EventKind]:
        return [EventKind(event.data.kind) for event in self.trader.detail(order_id).events]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"timed out waiting for: {what}"
        time.sleep(PAUSE_SECONDS)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Desk]:
    settings = SETTINGS | shared_database
    with running_daemon(tmp_path_factory.mktemp("orderd"), settings) as daemon, trading(daemon.url) as trader:
        yield Desk(daemon, trader)


@pytest.fixture
def desk(shared: Desk) -> Iterator[Desk]:
    """The shared desk at a price of 100 USDC per SOL, without open orders."""
    shared.set_price("100")
    yield shared
    for order in shared.trader.orders():
        if order.status is OrderStatus.OPEN:
            shared.trader.cancel(order.id)


# Triggers

WAITS: Final = pytest.mark.parametrize(
    ("args", "near", "sentinel", "crossing"),
    [
        (("--limit", "105"), "104.9", {"limit_price": "104"}, "105.1"),
        (("--take-profit", "105"), "104.9", {"limit_price": "104"}, "105.1"),
        (("--stop", "95"), "95.1", {"stop_price": "96", "confirm": 1}, "94.9"),
        (("--stop", "95", "--limit", "90"), "95.1", {"stop_price": "96", "confirm": 1}, "94.9"),
        (("--trail", "5%"), "95.1", {"stop_price": "96", "confirm": 1}, "94.9"),
    ],
    ids=["limit", "take_profit", "stop", "stop_limit", "trailing"],
)


@WAITS
def test_each_kind_ignores_a_near_miss_and_trades_once_when_its_price_is_crossed(
    desk: Desk, args: Sequence[str], near: str, sentinel: dict[str, Any], crossing: str
) -> None:
    submitted = desk.orderctl("submit", "SOL", "USDC", "0.5", *args)["order"]
    order_id = UUID(submitted["id"])
    assert submitted["status"] == "open"
    if submitted["type"] == "trailing":
        wait_until(lambda: desk.trader.detail(order_id).order.best_amount_out is not None, "a best price")
    misses = desk.submit(**sentinel)

    desk.set_price(near)
    assert desk.wait_for_end(misses) is OrderStatus.CONFIRMED, "the sentinel order did not trade"
    assert desk.kinds(order_id) == [EventKind.ACCEPTED]

    desk.set_price(crossing)
    assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
    assert desk.kinds(order_id).count(EventKind.TRIGGERED) == 1
    assert desk.executed_price(order_id) == pytest.approx(Decimal(crossing), rel=Decimal("0.001"))


@pytest.mark.parametrize(
    ("terms", "gap"),
    [
        ({"limit_price": "105"}, "130"),
        ({"take_profit_price": "105"}, "130"),
        ({"stop_price": "95"}, "70"),
        ({"stop_price": "95", "limit_price": "60"}, "70"),
    ],
    ids=["limit", "take_profit", "stop", "stop_limit"],
)
def test_an_order_trades_at_the_market_price_after_a_gap_through_its_trigger(
    desk: Desk, terms: dict[str, Any], gap: str
) -> None:
    order_id = desk.submit(**terms)
    desk.set_price(gap)
    assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
    assert desk.executed_price(order_id) == pytest.approx(Decimal(gap), rel=Decimal("0.001"))


def test_a_stop_limit_waits_for_its_limit_after_the_price_gaps_below_it(desk: Desk) -> None:
    order_id = desk.submit(stop_price="95", limit_price="90")
    desk.set_price("70")
    desk.wait_for_event(order_id, EventKind.TRIGGERED)
    wait_until(lambda: desk.status(order_id) is OrderStatus.OPEN, "the order rests again")
    assert desk.landed(order_id) == []
    desk.set_price("92")
    assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
    assert desk.executed_price(order_id) >= 90


def test_a_take_profit_is_not_bound_to_the_quote_of_a_failed_attempt(desk: Desk) -> None:
    order_id = desk.submit(take_profit_price="105", slippage="0.1")
    for _ in range(3):
        desk.prices.wait(desk.prices.script(["130", "100", "100", "100"])[-1])
    desk.set_price("106")
    assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED


def test_a_purchase_triggers_below_its_limit_and_above_its_stop(desk: Desk) -> None:
    order_id, stop = (
        desk.submit("50", sells="USDC", **terms) for terms in ({"limit_price": "95"}, {"stop_price": "105"})
    )
    desk.set_price("94.9")
    assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
    assert desk.executed_price(order_id) <= 95
    assert desk.status(stop) is OrderStatus.OPEN
    desk.set_price("105.1")
    assert desk.wait_for_end(stop) is OrderStatus.CONFIRMED
    assert desk.executed_price(stop) >= 105


def test_a_fill_or_kill_order_trades_at_once_or_fails(desk: Desk) -> None:
    met, missed = (desk.submit(limit_price=price, time_in_force="fok") for price in ("99", "101"))
    assert desk.wait_for_end(met) is OrderStatus.CONFIRMED
    assert desk.wait_for_end(missed) is OrderStatus.FAILED
    assert desk.trader.detail(missed).order.error.code is ErrorCode.ROUTE_BELOW_FLOOR  # type: ignore[union-attr]
    assert (desk.executed_price(met) >= 99, desk.landed(missed)) == (True, [])


def test_an_immediate_or_cancel_order_trades_at_once_or_expires(desk: Desk) -> None:
    met, missed = (desk.submit(limit_price=price, time_in_force="ioc") for price in ("99", "101"))
    assert desk.wait_for_end(met) is OrderStatus.CONFIRMED
    assert desk.wait_for_end(missed) is OrderStatus.EXPIRED
    assert desk.trader.detail(missed).order.filled_amount_in is None


# Prices


def test_no_fill_is_below_its_limit_when_the_price_is_met_only_briefly(desk: Desk) -> None:
    orders = [desk.submit(limit_price=price) for price in ("104", "105", "106")]
    for _ in range(4):
        desk.prices.wait(desk.prices.script(["106.1", "106.1", "100", "100"])[-1], "processed")
    desk.set_price("106.2")
    for order_id, limit in zip(orders, (104, 105, 106), strict=True):
        assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
        assert desk.executed_price(order_id) >= limit


def test_a_stop_without_slippage_sells_while_the_price_keeps_falling(desk: Desk) -> None:
    """The price falls by 0.1 % per slot; each attempt accepts a lower minimum than the one before."""
    order_id = desk.submit(stop_price="95")
    bottom, falling = Decimal(60), [Decimal(94) - Decimal(step) / 10 for step in range(340)]
    desk.prices.script([str(price) for price in falling] + [str(bottom)])
    assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
    assert bottom < desk.executed_price(order_id) < 95, "the order sold only after the price had stopped falling"
    routed = [event.data for event in desk.trader.detail(order_id).events if isinstance(event.data, Routed)]
    kept = [Decimal(fact.min_amount_out) / Decimal(fact.chosen.amount_out) for fact in routed]
    assert kept == sorted(kept, reverse=True)
    assert Decimal("0.949") < kept[-1] <= kept[0] < Decimal("0.9901"), "from a fifth of --max-slippage to all of it"


def test_a_stop_with_a_slippage_sells_once_the_price_falls_no_faster_than_that(desk: Desk) -> None:
    order_id = desk.submit(stop_price="95", max_slippage="20", slippage="0.1")
    falling = [str(Decimal(94) - Decimal(step) / 20) for step in range(60)]
    desk.prices.script(falling)
    assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
    assert 90 < desk.executed_price(order_id) < 95


# Validity


def test_the_daemons_default_validity_does_not_apply_to_resting_orders(desk: Desk) -> None:
    order_id = desk.submit(limit_price="105")
    assert desk.trader.detail(order_id).order.valid_until is None
    desk.prices.wait(desk.prices.slot + (TTL_SECONDS + 1) * SLOTS_PER_SECOND)
    desk.set_price("105.1")
    assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED


def test_an_order_triggered_as_it_expires_either_trades_or_expires(desk: Desk) -> None:
    orders = [desk.submit(limit_price="105", valid_for="1s") for _ in range(6)]
    desk.prices.set("105.1", slot=desk.prices.slot + SLOTS_PER_SECOND - 5)
    ends = {order_id: desk.wait_for_end(order_id) for order_id in orders}
    assert set(ends.values()) <= {OrderStatus.CONFIRMED, OrderStatus.EXPIRED}
    for order_id, end in ends.items():
        assert len(desk.landed(order_id)) == (end is OrderStatus.CONFIRMED)
    late = desk.submit(limit_price="110", valid_for="1s")
    assert desk.wait_for_end(late) is OrderStatus.EXPIRED


def test_an_order_cancelled_as_it_triggers_either_trades_or_is_cancelled(desk: Desk) -> None:
    orders = [desk.submit(limit_price="105") for _ in range(8)]
    desk.prices.wait(desk.prices.set("105.1"), "processed")
    for order_id in orders:
        with suppress(RefusedError):  # it may be too late
            desk.trader.cancel(order_id)
    for order_id in orders:
        end = desk.wait_for_end(order_id)
        assert end in (OrderStatus.CONFIRMED, OrderStatus.CANCELLED)
        assert len(desk.landed(order_id)) == (end is OrderStatus.CONFIRMED)


# Kills, outages and several workers


@pytest.mark.timeout(240)
def test_orders_survive_kills_of_the_worker_and_the_daemon_and_failed_swaps(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    """The worker is killed between trigger and signature, and loses its cached state of the market."""
    settings = SETTINGS | given_database | {"ORDERD_SIMNET_FAULTS": json.dumps({"failure_rate": 0.4})}
    with ExitStack() as stack:
        daemon = stack.enter_context(running_daemon(tmp_path, settings))
        desk = Desk(daemon, stack.enter_context(trading(daemon.url)))
        desk.set_price("100")
        trailing = desk.submit(trail="5%", confirm=1)
        desk.set_price("110")
        at_110 = Decimal("54.9")
        wait_until(
            lambda: Decimal(desk.trader.detail(trailing).order.best_amount_out or 0) > at_110, "the best price of 110"
        )
        limits = [desk.submit(limit_price="114") for _ in range(8)]
        desk.set_price("114.2")
        desk.wait_for_event(limits[0], EventKind.TRIGGERED)
        send([pid_of(daemon, "worker")], signal.SIGKILL)
        for order_id in limits:
            assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
            assert desk.executed_price(order_id) >= 114
        daemon.process.kill()
        daemon.process.wait()

    with running_daemon(tmp_path, settings) as daemon, trading(daemon.url) as trader:
        desk = Desk(daemon, trader)
        assert desk.status(trailing) is OrderStatus.OPEN
        desk.set_price("109")
        sentinel = desk.submit(stop_price="108.9", confirm=1)
        desk.set_price("108.6")  # 5 % below 114.2 is 108.49
        assert desk.wait_for_end(sentinel) is OrderStatus.CONFIRMED
        assert desk.kinds(trailing) == [EventKind.ACCEPTED]
        desk.set_price("108.3")
        assert desk.wait_for_end(trailing) is OrderStatus.CONFIRMED
        assert len(desk.landed(trailing)) == 1
        assert any(not each.succeeded for each in desk.ledger.transactions()), "no swap has failed"


def test_a_limit_order_that_fires_during_an_outage_of_the_chain_rests_until_it_ends(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    """Orders take a start of the rate limit when they are executed, not while they rest."""
    limit = {"ORDERD_RATE_LIMIT": "2", "ORDERD_RATE_WINDOW_SECONDS": "3"}
    with running_daemon(tmp_path, SETTINGS | given_database | limit) as daemon, trading(daemon.url) as trader:
        desk = Desk(daemon, trader)
        desk.set_price("100")
        resting = [desk.submit(limit_price=str(106 + number)) for number in range(12)]
        market = [desk.submit() for _ in range(2)]
        assert [desk.wait_for_end(order_id) for order_id in market] == [OrderStatus.CONFIRMED] * 2
        assert {*map(EventKind.DEFERRED.__eq__, desk.kinds(market[0]) + desk.kinds(market[1]))} == {False}

        fires = resting[0]
        desk.set_price("106.1")
        desk.wait_for_event(fires, EventKind.DEFERRED)  # waiting for a start: the market orders have used both
        away = KeptDown(daemon, "simnet")
        away.begin()
        try:
            wait_until(lambda: desk.status(fires) is OrderStatus.OPEN, "the order rests during the outage")
        finally:
            away.end()
        assert desk.wait_for_end(fires) is OrderStatus.CONFIRMED
        assert desk.kinds(fires).count(EventKind.TRIGGERED) >= 2
        assert {desk.status(each) for each in resting[1:]} == {OrderStatus.OPEN}
        assert all(desk.kinds(each) == [EventKind.ACCEPTED] for each in resting[1:]), "a resting order was started"


@pytest.fixture
def cluster(tmp_path: Path, postgres_url: str, redis_url: str, simnet: ListeningRole) -> Iterator[Cluster]:
    with cluster_over(tmp_path, postgres_url, redis_url, simnet) as cluster:
        yield cluster


def test_two_workers_fire_each_order_exactly_once(cluster: Cluster, tmp_path: Path) -> None:
    gateway = cluster.gateway("a")
    cluster.start(gateway)
    for name in ("first", "second"):
        cluster.start(cluster.worker(name))
    prices = Prices(tmp_path / "chain")
    prices.wait(prices.set("100"))
    with trading(gateway.url) as trader:
        orders = [
            trader.submit(
                SubmitParams(
                    token_in="SOL",
                    token_out="USDC",
                    amount_in="0.1",
                    limit_price=f"{101 + number / 10}",
                    client_order_id=uuid4().hex,
                )
            )
            for number in range(20)
        ]
        for price in ("101.5", "102.5", "104"):
            prices.wait(prices.set(price))
        for order_id in orders:
            events = trader.follow(order_id, SECONDS)
            assert events[-1].status is OrderStatus.CONFIRMED
            kinds = [event.data.kind for event in events]
            assert kinds.count(EventKind.TRIGGERED) == kinds.count(EventKind.STARTED) >= 1
            assert [each.outcome for each in trader.detail(order_id).attempts].count("landed") == 1
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
