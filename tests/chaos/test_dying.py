"""Crash tests: a process is killed at each boundary of its work, and another process takes over."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import pytest

from orderd.domain.order import OrderKind
from orderd.process.roles import ListeningRole
from orderd.wire.orders import OrderView
from orderd.wire.submissions import SubmitParams
from tests.acceptance.cluster import Cluster, cluster_over
from tests.acceptance.judge import judge
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import trading
from tests.chaos.storm import quiet_port

SECONDS: Final = 60.0

INTAKE: Final = (
    "db.journal:accept:before",
    "db.journal:accept:after",
    "orderd.engine.handover:HandOver.send:before",
    "orderd.engine.handover:HandOver._hand_over:before",
    "orderd.engine.handover:HandOver._hand_over:after",
    "orderd.engine.intake:_cancel:before",
    "orderd.engine.intake:_cancel:after",
)
EXECUTION: Final = (
    "db.journal:claim:before",
    "db.journal:claim:after",
    "orderd.engine.execution.turn:Execution._route:after",
    "orderd.engine.execution.building:Builder.sign:before",
    "orderd.engine.execution.building:Builder.sign:after",
    "orderd.engine.settlement.live:LiveAttempts.track:before",
    "orderd.engine.execution.turn:Execution._send:before",
    "orderd.engine.execution.turn:Execution._send:after",
    "orderd.queue.broker:OrderBroker.fetch:before",
    "orderd.queue.broker:OrderBroker.fetch:after",
)
SETTLEMENT: Final = (
    "orderd.engine.settlement.loop:_apply:before",
    "orderd.engine.settlement.loop:_apply:after",
    "db.finality:settle:before",
    "db.finality:settle:after",
    "orderd.engine.failure:Failures.record:before",
    "orderd.engine.failure:Failures.record:after",
)
TRIGGERS: Final = (
    "orderd.engine.triggers.watched:Watched.fact:before",
    "orderd.engine.triggers.roster:Roster.drop:before",
    "orderd.engine.families:Families._next_slice:before",
    "orderd.engine.families:Families._next_slice:after",
    "orderd.engine.families:Families._move:after",
    "orderd.engine.families:Families._advance:after",
    "orderd.engine.exits:_follow:before",
    "orderd.engine.exits:_follow:after",
    "db.leases:take_due:after",
)
POINTS: Final = (*INTAKE, *EXECUTION, *SETTLEMENT, *TRIGGERS)
QUICK: Final = ("db.journal:accept:after", "orderd.engine.settlement.live:LiveAttempts.track:before")
"""The points of every test run: after an order was stored and before it is queued; after signing, before sending."""


def orders() -> list[SubmitParams]:
    """Orders that reach every point: market, resting, partially filled, with an exit, and failing."""
    side: dict[str, object] = {"token_in": "SOL", "token_out": "USDC", "amount_in": "0.2"}
    terms: list[dict[str, object]] = [
        side,
        side | {"limit_price": "50"},
        side | {"slices": 2, "every": "1s"},
        {"token_in": "USDC", "token_out": "SOL", "amount_in": "20", "then_take_profit": "400"},
        side | {"min_out": "100000"},
    ]
    return [SubmitParams(client_order_id=uuid4().hex, slippage="2", **each) for each in terms]


@contextmanager
def dying(point: str, role: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The role, which kills itself at ``point``. It is ended on exit, even if it did not reach the point."""
    command = [sys.executable, "-m", "tests.chaos.dying", role, point]
    process = subprocess.Popen(command, env={**os.environ, **env})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def cluster(tmp_path: Path, postgres_url: str, redis_url: str, simnet: ListeningRole) -> Iterator[Cluster]:
    # In a pool of nodes, the answer of one node is not final, so confirmations wait for finality.
    with cluster_over(tmp_path, postgres_url, redis_url, simnet, ORDERD_RPC_SINGLE_NODE="false") as cluster:
        (tmp_path / "chain" / "wallet.json").hardlink_to(tmp_path / "wallet.json")
        yield cluster


def trade(url: str) -> dict[str, UUID]:
    """Submit all orders, wait until only the exit rests, and cancel it. Requests without an answer are repeated."""
    with trading(url) as trader:
        for params in orders():
            trader.submit(params)
        trader.end_all(SECONDS, _only_the_exit_is_active, pause=0.05)
        return trader.acknowledged


def _only_the_exit_is_active(active: Sequence[OrderView]) -> Sequence[OrderView]:
    return active if {order.kind for order in active} == {OrderKind.TAKE_PROFIT} else ()


@pytest.mark.parametrize("point", POINTS)
def test_a_point_is_a_function_of_the_program(point: str) -> None:
    assert callable(attrgetter(point.split(":")[1])(import_module(point.split(":")[0])))


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "point",
    [pytest.param(point, marks=[] if point in QUICK else [pytest.mark.chaos]) for point in POINTS],
)
def test_no_order_is_lost_or_executed_twice_after_a_kill_at(
    point: str, cluster: Cluster, tmp_path: Path, postgres_url: str
) -> None:
    ledger = Ledger(tmp_path / "chain")
    before = ledger.balances()
    port = quiet_port()
    role = "gateway" if point in INTAKE else "worker"
    other = cluster.worker("other") if role == "gateway" else cluster.gateway("other", port)
    next_one = cluster.gateway("next", port) if role == "gateway" else cluster.worker("next")
    settings = cluster.settings_of("armed") | {"ORDERD_PORT": str(port)}
    with dying(point, role, settings) as process, ThreadPoolExecutor(1) as threads:
        cluster.start(other)
        trading = threads.submit(trade, f"ws://127.0.0.1:{port}/")
        assert process.wait(SECONDS) == -signal.SIGKILL, "the process did not reach the point"
        cluster.start(next_one)
        acknowledged = trading.result()
    verdict, _ = judge(postgres_url, ledger, before, acknowledged)
    assert verdict.is_clean, verdict
