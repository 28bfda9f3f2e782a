"""``python -m benchmarks.recovery``: the time until a daemon is ready and orders are settled after kills.

The second table of ``make outages``, which repeats each row five times.
"""

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import httpx
import psycopg2
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.processes import pid_of, send, tree_of
from orderd.domain.order import STATES, OrderStatus, Phase
from orderd.embedded.postgres import Postgres
from orderd.process.temporary import Daemon, running_daemon

_TIMES: Final = 5
_ORDERS: Final = 20
"""Number of stored orders."""
_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.01
_SETTINGS: Final = {"ORDERD_RATE_LIMIT": "0", "ORDERD_SIMNET_MARKET": "false", "ORDERD_LOG_LEVEL": "warning"}
_ENDED: Final = {status for status, state in STATES.items() if state.phase in (Phase.FILLED, Phase.UNFILLED)}
_SIGNED: Final = {OrderStatus.SUBMITTED}


def recovery(times: int = _TIMES) -> Table:
    """Measure each row ``times`` times. Five times take about four minutes."""
    table = Table("Event", "measured", "goal", "median", "all", box=MARKDOWN)
    table.title = f"Recovery; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    with tempfile.TemporaryDirectory() as directory:
        state_dir = Path(directory)
        with _started(state_dir) as (daemon, _):
            for _ in range(_ORDERS):
                _wait_for(state_dir, _order(daemon), _ENDED)
        starts, after_kill, settled = [], [], []
        for _ in range(times):
            with _started(state_dir) as (daemon, ready):
                starts.append(ready)
                name = _order(daemon)
                _wait_for(state_dir, name, _SIGNED | _ENDED)
                daemon.process.kill()
                daemon.process.wait()
            with _started(state_dir) as (daemon, ready):
                after_kill.append(ready)
                settled.append(_wait_for(state_dir, name, _ENDED))
        stopped = "start after an orderly stop"
        killed = "`kill -9` of the daemon with a signed order"
        _add(table, stopped, f"`READY=1` after the start, {_ORDERS} orders stored", "3 s", starts)
        _add(table, killed, "`READY=1` after the start", "3 s", after_kill)
        _add(table, killed, "the order has ended, after `READY=1`", "3 s", settled)
        measured = "the order has ended, after the kill"
        for what, goal, die in (
            ("`kill -9` of the worker with a signed order", "5 s", _worker_dies),
            ("the same on another host", "10 s", _worker_of_another_host_dies),
            ("`kill -9` of the gateway between commit and queue", "5 s", _gateway_dies_before_the_queue),
        ):
            _add(table, what, measured, goal, [_seconds_to_the_end(state_dir, die) for _ in range(times)])
    return table


def _add(table: Table, what: str, measured: str, goal: str, seconds: list[float]) -> None:
    every = ", ".join(f"{each:.1f}" for each in sorted(seconds))
    table.add_row(what, measured, goal, f"{statistics.median(seconds):.1f} s", every)


@contextmanager
def _started(state_dir: Path) -> Iterator[tuple[Daemon, float]]:
    """A daemon, and the seconds from its start until it was ready."""
    began = time.monotonic()
    with running_daemon(state_dir, _SETTINGS) as daemon:
        yield daemon, time.monotonic() - began


def _seconds_to_the_end(state_dir: Path, die: Callable[[Daemon], str]) -> float:
    """``die`` kills a process during an order, and returns the order's id.

    Each call starts a new daemon, because frequent restarts are delayed.
    """
    with _started(state_dir) as (daemon, _):
        return _wait_for(state_dir, die(daemon), _ENDED)


def _worker_dies(daemon: Daemon) -> str:
    worker = pid_of(daemon, "worker")
    name = _order(daemon)
    _wait_for(daemon.log.parent, name, _SIGNED | _ENDED)
    send([worker], signal.SIGKILL)
    return name


def _worker_of_another_host_dies(daemon: Daemon) -> str:
    """The worker is registered for another machine, so that only its missing heartbeat shows its death."""
    with (
        closing(psycopg2.connect(Postgres(daemon.log.parent).url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE processes SET machine = 'elsewhere' WHERE pid = %s", (pid_of(daemon, "worker"),))
    return _worker_dies(daemon)


def _gateway_dies_before_the_queue(daemon: Daemon) -> str:
    """Redis hangs while the order is accepted and is killed with the gateway, so that the message is lost."""
    redis, gateway = tree_of(pid_of(daemon, "redis")), pid_of(daemon, "gateway")
    send(redis, signal.SIGSTOP)
    name = _order(daemon)
    send([gateway, *redis], signal.SIGKILL)
    return name


def _order(daemon: Daemon) -> str:
    """Submit an order. Returns its id."""
    name = f"o-{time.monotonic_ns()}"
    order = {"token_in": "SOL", "token_out": "USDC", "amount_in": "0.01", "client_order_id": name}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            url = daemon.url.replace("ws", "http", 1) + "api/orders"
            httpx.post(url, json=order, trust_env=False, timeout=10).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return name


def _wait_for(state_dir: Path, name: str, statuses: set[OrderStatus]) -> float:
    """Seconds until the order has one of the statuses, read from Postgres because the gateway may be unavailable."""
    began = time.monotonic()
    with closing(psycopg2.connect(Postgres(state_dir).url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            while (waited := time.monotonic() - began) < _PATIENCE_SECONDS:
                cursor.execute("SELECT status FROM orders WHERE client_order_id = %s", (name,))
                if any(OrderStatus(status) in statuses for (status,) in cursor):
                    return waited
                time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"the order {name} is not one of {', '.join(sorted(statuses))}")


def tables() -> list[Table]:
    return [recovery(times=1)]


if __name__ == "__main__":
    Console().print(*tables())
