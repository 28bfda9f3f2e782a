"""``make outages``: what a daemon answers, tells and settles while each service and process is away, as a table.

A service is hung (all its processes stopped), killed, emptied or made read-only for ``SECONDS``; a role is stopped or
killed. Two seconds later an order is sent and the daemon is asked how it is; and when all is over, it is waited for
until the order has ended and orders are executed again.
"""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psycopg2
from redis import Redis as RedisClient
from rich.console import Console
from rich.table import Table

from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.process.temporary import Daemon, running_daemon

SECONDS: Final = float(os.environ.get("SECONDS", "5"))
_BEFORE_ASKING_SECONDS: Final = 2.0
"""So that what was asked of a service just before has grown old."""
_PATIENCE_SECONDS: Final = 90.0
_SETTINGS: Final = {
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_SIMNET_SLOT_MS": "100",
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_LOG_LEVEL": "warning",
}
_ORDER: Final = {"token_in": "SOL", "token_out": "USDC", "amount_in": "0.01"}
_ENDED: Final = ("confirmed", "failed", "cancelled", "expired")


@dataclass(frozen=True)
class Outage:
    """What happens, and what undoes it."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object] = lambda: None


def main() -> None:
    heads = ("what happens", "POST", "took", "/ready", "executing", "status names", "settled after", "as")
    table = Table(*heads, title=f"Outages of {SECONDS:g} s")
    table.caption = "settled: from the outage's end until the order has ended and orders are executed again"
    with tempfile.TemporaryDirectory() as directory:
        state_dir = Path(directory)
        with (
            running_daemon(state_dir, _SETTINGS) as daemon,
            httpx.Client(base_url=daemon.url.replace("ws", "http", 1), timeout=30, trust_env=False) as http,
        ):
            for outage in outages(daemon):
                table.add_row(outage.name, *suffer(http, outage))
    Console(width=170).print(table)


def suffer(http: httpx.Client, outage: Outage) -> list[str]:
    """One row."""
    name = f"o-{time.monotonic_ns()}"
    outage.begin()
    timer = threading.Timer(SECONDS, outage.end)
    timer.start()
    time.sleep(_BEFORE_ASKING_SECONDS)
    began = time.perf_counter()
    answer = asked(lambda: http.post("/api/orders", json=_ORDER | {"client_order_id": name}))
    took = time.perf_counter() - began
    ready = asked(lambda: http.get("/ready"))
    status = asked(lambda: http.get("/api/status"))
    said = "-" if answer is None else f"{answer.status_code} {answer.json().get('code', '')}".strip()
    ill = [] if status is None else [each for each, how in status.json().get("services", {}).items() if not how["ok"]]
    timer.join()
    settled, state = settle(http, name, may_be_absent=answer is None or answer.status_code >= 400)
    return [
        said,
        f"{took:.2f} s",
        "-" if ready is None else str(ready.status_code),
        "-" if ready is None else str(ready.json()["executing"]),
        ", ".join(ill) or "-",
        f"{settled:.1f} s",
        state,
    ]


def asked(question: Callable[[], httpx.Response]) -> httpx.Response | None:
    """The answer; None where the gateway itself is away."""
    try:
        return question()
    except httpx.HTTPError:
        return None


def settle(http: httpx.Client, name: str, *, may_be_absent: bool) -> tuple[float, str]:
    """Seconds until the order has ended and the daemon is well again, and what became of the order."""
    began = time.perf_counter()
    while (waited := time.perf_counter() - began) < _PATIENCE_SECONDS:
        ready, order = asked(lambda: http.get("/ready")), asked(lambda: http.get(f"/api/orders/{name}"))
        if ready is not None and ready.status_code == 200 and ready.json()["executing"] and order is not None:
            if order.status_code == 404 and may_be_absent:
                return waited, "not taken"
            if order.status_code == 200 and (state := order.json()["order"]["status"]) in _ENDED:
                return waited, str(state)
        time.sleep(0.05)
    return waited, "not settled"


def outages(daemon: Daemon) -> Iterator[Outage]:
    state_dir = daemon.log.parent
    for service in ("postgres", "redis", "simnet", "worker", "gateway"):
        stopped: list[int] = []

        def stop(service: str = service, stopped: list[int] = stopped) -> None:
            stopped[:] = tree_of(pid_of(state_dir, service))
            send(stopped, signal.SIGSTOP)

        yield Outage(f"{service} hangs", stop, lambda stopped=stopped: send(stopped, signal.SIGCONT))  # type: ignore[misc]
        yield Outage(f"{service} is killed", lambda service=service: send([pid_of(state_dir, service)], signal.SIGKILL))  # type: ignore[misc]
    yield Outage("redis is emptied", lambda: ask_redis(state_dir, "FLUSHALL"))
    yield Outage("redis is full", lambda: ask_redis(state_dir, "CONFIG SET maxmemory 1"),
                 lambda: ask_redis(state_dir, "CONFIG SET maxmemory 0"))  # fmt: skip
    yield Outage("postgres is read-only", lambda: read_only(state_dir, "on"), lambda: read_only(state_dir, "off"))


def pid_of(state_dir: Path, service: str) -> int:
    return int((state_dir / f"{service}.lock").read_text())


def tree_of(pid: int) -> list[int]:
    """The process and all that it has started."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(each for child in children for each in tree_of(child))]


def send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def ask_redis(state_dir: Path, command: str) -> None:
    with closing(RedisClient.from_url(Redis(state_dir).url)) as client:
        client.execute_command(*command.split())  # type: ignore[no-untyped-call]


def read_only(state_dir: Path, value: str) -> None:
    """Of the sessions that begin from now on; those that there are are ended."""
    with closing(psycopg2.connect(Postgres(state_dir).url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f"ALTER DATABASE orderd SET default_transaction_read_only = {value}")
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = 'orderd' AND pid <> pg_backend_pid()"
            )


if __name__ == "__main__":
    main()
