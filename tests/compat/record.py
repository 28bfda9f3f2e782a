"""Make a stored state with the programs of this version: ``python -m tests.compat.record DIRECTORY``.

It uses real services, a local chain and real orders. Active orders are stopped in their state: a gate in front of the
chain stops answering, and the worker is killed. Each client order id starts with the order's state, followed by its
purpose.

Waiting orders are due within minutes of the recording: commit it, and run the tests later.
"""

import json
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

from solders.signature import Signature

from db.connection import connect, database, migrate
from orderd.commands import api_key as access
from orderd.domain.order import TERMINAL, EventKind, OrderKind, OrderStatus
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.process.roles import ListeningRole, Role
from orderd.process.wallet import fund_on_simnet
from orderd.solana.rpc import RpcClient
from orderd.wire.orders import OrderView
from orderd.wire.submissions import SubmitParams
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import Trader
from tests.compat import keys
from tests.compat.gate import Gate, gate_to
from tests.compat.stored import Expected, Stored, as_json, tokens_and_audit, trading_with

SLOT_MS: Final = 30
"""A blockhash expires after 4.5 s."""
_PATIENCE_SECONDS: Final = 30.0
_CENTURY_DAYS: Final = 36_500
WORKER: Final = {
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_VENUE_TIMEOUT_MS": "60000",  # a blocked worker keeps waiting
    "ORDERD_LEASE_SECONDS": "60",  # no worker takes over the orders of the previous one
    "ORDERD_RETRY_BASE_MS": "50",
    "ORDERD_LOG_LEVEL": "error",
}
NOT_RECORDED: Final = frozenset(
    {
        EventKind.EXECUTING,
        EventKind.FILLED,
        EventKind.RELEASED,
        EventKind.CANCEL_REQUESTED,
        EventKind.RECOVERED,
        EventKind.UNKNOWN,
        EventKind.ROLLED_BACK,
    }
)
"""Events of orders with executions, and of forks, restores and unknown outcomes."""
READS: Final = frozenset({"getMultipleAccounts", "getProgramAccounts"})


class Stage:
    """The services, and roles on demand. ``desk`` and ``former`` trade with the API key of that name."""

    def __init__(self, stack: ExitStack, state_dir: Path) -> None:
        self._stack = stack
        self.state_dir = state_dir
        postgres, redis = Postgres(state_dir), Redis(state_dir)
        stack.callback(postgres.start().stop)
        stack.callback(redis.start().stop)
        self.database_url, self._redis_url = postgres.url, redis.url
        os.environ["ORDERD_DATABASE_URL"] = self.database_url
        connect(self.database_url)
        migrate()
        database.close_all()

        self._simnet_port = 0
        self.start_chain({})
        keys.write_wallet(state_dir)
        ledger = Ledger(state_dir)
        with closing(RpcClient(self.chain_url)) as rpc:
            fund_on_simnet(rpc, ledger.wallet)
        self.funded = ledger.balances()
        self.gate: Gate = stack.enter_context(gate_to(self.chain_url))

        address = state_dir / "gateway.json"
        gateway = self._listening("gateway", {"ORDERD_RPC_URL": self.chain_url}, address, "url", "ORDERD_PORT")
        stack.callback(gateway.start().stop)
        self.desk: Trader = stack.enter_context(trading_with(gateway.url, keys.DESK))
        self.former: Trader = stack.enter_context(trading_with(gateway.url, keys.FORMER))

    @property
    def chain_url(self) -> str:
        return f"http://127.0.0.1:{self._simnet_port}"

    def start_chain(self, faults: Mapping[str, object]) -> None:
        """Always on the same port."""
        env = {
            "ORDERD_SIMNET_PORT": str(self._simnet_port),
            "ORDERD_SIMNET_SLOT_MS": str(SLOT_MS),
            "ORDERD_SIMNET_MARKET": "false",
            "ORDERD_SIMNET_FAULTS": json.dumps(faults),
        }
        address = self.state_dir / "simnet" / "simnet.json"
        role = self._listening("simnet", env, address, "http_url", "ORDERD_SIMNET_PORT")
        chain = role.start()
        self._stack.callback(chain.stop)
        self.stop_chain = chain.stop
        self._simnet_port = urlsplit(role.url).port or 0

    @contextmanager
    def worker(self, held: frozenset[str] = frozenset(), *, keeps: bool = True, **settings: str) -> Iterator[None]:
        """Run a worker until the end of the block, and kill it. The chain never answers its calls to ``held``.

        If it ``keeps`` its leases, no later worker detects its death or takes over its orders.
        """
        env = {**self._env(), **WORKER, "ORDERD_RPC_URL": self.gate.url, **settings}
        self.gate.held = held
        child = Role("worker", self.state_dir, env, 10.0).start()
        try:
            yield
        finally:
            if keeps:  # while it is suspended
                os.kill(child.pid, signal.SIGSTOP)
                self._keep_leases("1 day")
            os.kill(child.pid, signal.SIGKILL)
            child.stop()
            self.gate.held = frozenset()

    def end_leases(self) -> None:
        """Expire all leases, as if all workers had died long ago."""
        self._keep_leases("0")

    def _keep_leases(self, interval: str) -> None:
        connect(self.database_url)
        with database.connection_context(), database.atomic():
            database.execute_sql("DELETE FROM processes")
            database.execute_sql(
                "UPDATE orders SET lease_until = clock_timestamp() + %s::interval WHERE lease_owner IS NOT NULL",
                (interval,),
            )
        database.close_all()

    def has_landed(self, signature: str | None) -> bool:
        with closing(sqlite3.connect(self.state_dir / "simnet" / "ledger.sqlite")) as ledger:
            rows = ledger.execute(
                "SELECT 1 FROM transactions WHERE signature = ?", (bytes(Signature.from_string(signature or "")),)
            )
            return rows.fetchone() is not None

    def _listening(
        self, name: str, env: Mapping[str, str], address: Path, url_field: str, port_variable: str
    ) -> ListeningRole:
        return ListeningRole(
            name,
            self.state_dir,
            {"ORDERD_LOG_LEVEL": "error", **self._env(), **env},
            10.0,
            address_file=address,
            url_field=url_field,
            port_variable=port_variable,
        )

    def _env(self) -> dict[str, str]:
        return {
            "ORDERD_STATE_DIR": str(self.state_dir),
            "ORDERD_DATABASE_URL": self.database_url,
            "ORDERD_REDIS_URL": self._redis_url,
            "ORDERD_PORT": "0",
            "ORDERD_ORDER_TTL_SECONDS": "1000000000",  # waiting orders are still valid when a test continues with them
        }


def submit(
    trader: Trader, name: str, token_in: str, token_out: str, amount_in: str, **terms: str | int
) -> Callable[[], OrderView]:
    """Submit an order, with 2 % slippage if it is a market order; what is returned reads it."""
    order = {"token_in": token_in, "token_out": token_out, "amount_in": amount_in, "client_order_id": name}
    order_id = trader.submit(SubmitParams.model_validate({**order, **(terms or {"slippage": "2"})}))
    return lambda: trader.detail(order_id).order


def wait(read: Callable[[], OrderView], is_so: Callable[[OrderView], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so(order := read()):
        assert time.monotonic() < deadline, f"it does not become so: {order}"
        time.sleep(0.01)


def wait_for(read: Callable[[], OrderView], status: OrderStatus) -> None:
    wait(read, lambda order: order.status is status)


def create_api_keys() -> None:
    silence = redirect_stdout(StringIO())  # it would print the keys
    with silence, patch("orderd.gateway.access.authentication.new_api_key", lambda: keys.FORMER):
        access.create("former", scope="admin", days=_CENTURY_DAYS, account="default")
    with silence, patch("orderd.gateway.access.authentication.new_api_key", lambda: keys.DESK):
        access.create(
            "desk",
            days=_CENTURY_DAYS,
            tokens="SOL,USDC",
            max_notional_per_order="1000",
            max_notional_per_day="5000",
            requests_per_minute=6_000,
            burst=1_000,
            account="default",
        )


def ended(stage: Stage) -> None:
    """Orders in all terminal states, after all kinds of events."""
    withdrawn = submit(stage.desk, "cancelled", "SOL", "USDC", "1")
    stage.desk.cancel(withdrawn().id)
    with stage.worker(ORDERD_RATE_LIMIT="1", ORDERD_RATE_WINDOW_SECONDS="1"):
        orders = [
            submit(stage.desk, "confirmed", "SOL", "USDC", "0.01"),
            submit(stage.desk, "confirmed-bought", "USDC", "SOL", "150.25"),
            submit(stage.former, "confirmed-split", "SOL", "USDC", "200"),
            submit(stage.former, "confirmed-two-hops", "USDC", "CHILLGUY", "1.5"),
            submit(stage.former, "failed-at-once", "SOL", "USDC", "9000"),
        ]
        for order in orders:
            wait(order, lambda order: order.status in TERMINAL)
    with stage.worker(READS, keeps=False, ORDERD_LEASE_SECONDS="0.5"):
        troubled = submit(stage.desk, "confirmed-after-a-crash-and-an-expiry", "SOL", "USDC", "0.25")
        wait_for(troubled, OrderStatus.ROUTING)
    stage.gate.refused = frozenset({"sendTransaction"})
    with stage.worker():
        wait(troubled, lambda order: order.attempt == 2)
        stage.gate.refused = frozenset()
        wait_for(troubled, OrderStatus.CONFIRMED)


def held(stage: Stage) -> None:
    """Orders whose worker was killed in each step."""
    with stage.worker(READS):
        wait_for(submit(stage.desk, "routing", "SOL", "USDC", "0.5"), OrderStatus.ROUTING)
    never_sent(stage, "submitted-never-sent-expired", "0.7")
    with stage.worker(frozenset({"getSignatureStatuses"})):
        landed = submit(stage.desk, "submitted-landed", "SOL", "USDC", "0.8")
        wait_for(landed, OrderStatus.SUBMITTED)
        wait(landed, lambda order: stage.has_landed(order.signature))


def never_sent(stage: Stage, name: str, amount_in: str) -> None:
    with stage.worker(frozenset({"sendTransaction"})):
        wait_for(submit(stage.desk, name, "SOL", "USDC", amount_in), OrderStatus.SUBMITTED)


def failing(stage: Stage) -> None:
    """Orders on a chain where every swap fails: one after its last attempt, and one that waits for a retry."""
    stage.stop_chain()
    stage.start_chain({"failure_rate": 1.0})
    with stage.worker():
        wait_for(submit(stage.desk, "failed-three-times", "SOL", "USDC", "0.3"), OrderStatus.FAILED)
    with stage.worker(ORDERD_RETRY_BASE_MS="300000"):
        retried = submit(stage.desk, "pending-retry", "SOL", "USDC", "0.35")
        wait(retried, lambda order: order.status is OrderStatus.PENDING and order.seq > 1)
    stage.stop_chain()
    stage.start_chain({})


def resting(stage: Stage) -> None:
    """Orders that rested, and orders that rest at prices far from the market."""
    desk = stage.desk
    with stage.worker():
        fired = submit(desk, "confirmed-limit", "SOL", "USDC", "0.4", limit_price="99")
        brief = submit(desk, "expired-limit", "SOL", "USDC", "0.4", limit_price="200", valid_for="1s")
        wait_for(fired, OrderStatus.CONFIRMED)
        wait_for(brief, OrderStatus.EXPIRED)
    amended = submit(desk, "open-limit-amended", "SOL", "USDC", "0.4", limit_price="150")
    desk.amend(amended().id, limit_price="160")
    submit(desk, "open-stop", "SOL", "USDC", "0.1", stop_price="40")
    submit(desk, "open-stop-limit", "SOL", "USDC", "0.1", stop_price="40", limit_price="39")
    submit(desk, "open-take-profit", "SOL", "USDC", "0.1", take_profit_price="200")
    submit(desk, "open-trailing", "SOL", "USDC", "0.1", trail="60%")
    submit(desk, "open-oco", "SOL", "USDC", "0.1", take_profit_price="200", stop_price="40")
    submit(desk, "open-partial", "SOL", "USDC", "0.1", limit_price="200", partial="true")
    submit(desk, "open-entry", "USDC", "SOL", "10", limit_price="50", then_take_profit="200", then_stop="40")
    parts = submit(desk, "open-twap-paused", "SOL", "USDC", "0.1", slices=5, every="1h")
    desk.amend(parts().id, paused=True)


def waiting(stage: Stage) -> None:
    """Orders that were not started, and one whose transaction can still land."""
    with stage.worker(ORDERD_RATE_LIMIT="1", ORDERD_RATE_WINDOW_SECONDS="600"):
        deferred = submit(stage.desk, "pending-deferred", "USDC", "SOL", "12.5")
        wait(deferred, lambda order: order.seq == 2)
    never_sent(stage, "submitted-never-sent", "0.9")
    submit(stage.desk, "pending", "SOL", "USDC", "1.25")
    stage.stop_chain()


def expected_of(stage: Stage) -> Expected:
    stage.end_leases()
    orders = [as_json(stage.desk.detail(order.id)) for order in reversed(stage.desk.orders())]
    access.revoke("former")
    connect(stage.database_url)
    with database.connection_context():
        tokens, audit = tokens_and_audit()
    database.close_all()
    return Expected(funded=stage.funded, orders=orders, tokens=tokens, audit=audit)


def check(expected: Expected) -> None:
    """Check that all states, kinds and events exist, and that each order has the state in its id."""
    orders = {each["order"]["client_order_id"]: each["order"] for each in expected.orders}
    for name, order in orders.items():
        if order.get("parent_id") is not None:  # the orders of a family are named by the daemon
            assert order["status"] in (OrderStatus.OPEN, OrderStatus.HELD)
            continue
        status = OrderStatus.HELD if name.endswith("-exit") else name.split("-")[0]
        assert status == order["status"], f"{name} is {order['status']}: {order['error']}"
    # A route is stored together with its signed bytes, so no order is stored as building.
    assert {order["status"] for order in orders.values()} == {*OrderStatus} - {OrderStatus.BUILDING}
    assert {order["kind"] for order in orders.values()} == {*OrderKind} - {OrderKind.ON_LIQUIDITY}
    assert shape(orders["confirmed"]) == []
    assert shape(orders["confirmed-split"]) == [1, 1]
    assert shape(orders["confirmed-two-hops"]) == [1, 2]
    kinds = {event["data"]["kind"] for each in expected.orders for event in each["events"]}
    assert kinds >= {*EventKind} - NOT_RECORDED, {*EventKind} - NOT_RECORDED - kinds


def shape(order: dict[str, Any]) -> list[int]:
    """The hop of each leg; empty for a route through one pool."""
    return [leg["hop"] for leg in order["route"]]


def record(directory: Path) -> None:
    for name in [name for name in os.environ if name.startswith("ORDERD_")]:
        del os.environ[name]
    os.environ |= {"ORDERD_CONFIG": os.devnull, "LOGNAME": "operator"}
    with tempfile.TemporaryDirectory() as state_dir, ExitStack() as stack:
        stage = Stage(stack, Path(state_dir))
        create_api_keys()
        for scene in (ended, resting, held, failing, waiting):
            scene(stage)
        expected = expected_of(stage)
        check(expected)
        Stored(directory).write(stage.database_url, stage.state_dir, expected)


if __name__ == "__main__":
    record(Path(sys.argv[1]))
