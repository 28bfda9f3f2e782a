"""``make outages`` prints tables of a daemon's answers, reports and settlements during outages of each service.

A service hangs (all its processes are stopped), stays down, is full or read-only for ``SECONDS``; or it is killed,
emptied or restarted, and observed for a few seconds. One order is sent just before, so that it is in flight, and one
per second meanwhile. After the outage, the row waits until every order has ended and orders are executed again.
``ONLY`` selects rows by a part of their names, or "recovery" (``benchmarks.recovery``).
"""

import json
import math
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import psycopg2
from redis import Redis as RedisClient
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.manager_notices import ManagerNotices, listening
from benchmarks.processes import SERVICES, STOP_SIGNALS, KeptDown, pid_of, send, tree_of
from benchmarks.recovery import recovery
from orderd.domain.order import STATES, OrderStatus, Phase
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.process.temporary import Daemon, running_daemon

SECONDS: Final = float(os.environ.get("SECONDS", "5"))
ONLY: Final = os.environ.get("ONLY", "")
_OBSERVED_SECONDS: Final = 5.0
"""Duration of a row whose outage is instantaneous."""
_HEALTH_AT: Final = 2
"""Seconds after the beginning at which the health is read: earlier answers of the services have expired."""
_PATIENCE_SECONDS: Final = 90.0
_WATCHDOG_SECONDS: Final = 2
_SETTINGS: Final = {
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_SIMNET_SLOT_MS": "100",
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_LOG_LEVEL": "warning",
    "WATCHDOG_USEC": str(_WATCHDOG_SECONDS * 1_000_000),
}
_ORDER: Final = {"token_in": "SOL", "token_out": "USDC", "amount_in": "0.01"}
_ENDED: Final = {status for status, state in STATES.items() if state.phase in (Phase.FILLED, Phase.UNFILLED)}
_HEADS: Final = (
    "Outage",
    "POST",
    "longest answer",
    "`/ready`",
    "`executing`",
    "unhealthy in `status`",
    "problems in `STATUS=`",
    "longest without `WATCHDOG=1`",
    "order in flight",
    "orders sent meanwhile",
    "settled after",
)


@dataclass(frozen=True)
class Outage:
    """``begin`` causes the outage, and ``end`` ends it after ``seconds``."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object] = lambda: None
    seconds: float = SECONDS


@dataclass(frozen=True)
class Sent:
    """A sent order: its client order id, the answer, and the seconds until the answer."""

    name: str
    answer: str
    took: float


def main() -> None:
    console = Console(width=300)
    table = Table(*_HEADS, title=f"Outages of {SECONDS:g} s", box=MARKDOWN)
    with (
        tempfile.TemporaryDirectory() as directory,
        running_daemon(Path(directory), _SETTINGS) as daemon,
        httpx.Client(base_url=daemon.url.replace("ws", "http", 1), timeout=30, trust_env=False) as http,
        listening(daemon) as notices,
    ):
        for outage in outages(daemon):
            if ONLY in outage.name:
                row = [cell.replace(directory, "") for cell in measure(http, notices, outage)]
                sys.stderr.write(f"{outage.name}: {', '.join(row)}\n")
                table.add_row(outage.name, *row)
    if table.rows:
        console.print(table)
    if ONLY in "recovery":
        console.print(recovery())


def measure(http: httpx.Client, notices: ManagerNotices, outage: Outage) -> list[str]:
    """The cells of one row."""
    notices.wait_until_settled()
    with ThreadPoolExecutor(100) as pool:
        before = submit(http)
        began = time.monotonic()
        outage.begin()
        posted = []
        for number in range(math.ceil(outage.seconds)):
            posted.append(pool.submit(submit, http))
            if number == _HEALTH_AT:
                reading = pool.submit(health, http)
            time.sleep(max(0.0, began + min(number + 1, outage.seconds) - time.monotonic()))
        outage.end()
        over = time.monotonic()
        sent = [each.result() for each in posted]
        read = reading.result()
    first, *rest = settle(http, [before, *sent])
    settled = time.monotonic()
    return [
        summary(each.answer for each in sent),
        f"{max(each.took for each in sent):.2f} s",
        *read,
        notices.problems(began) or "-",
        f"{notices.longest_silence(began, settled):.1f} s",
        first,
        summary(rest),
        f"{settled - over:.1f} s",
    ]


def health(http: httpx.Client) -> list[str]:
    """The status code of ``/ready``, its ``executing``, and the unhealthy services in ``status``."""
    ready, status = (answer_to(partial(http.get, path)) for path in ("/ready", "/api/status"))
    services = {} if status is None else status.json().get("services", {})
    return [
        *(("-", "-") if ready is None else (str(ready.status_code), json.dumps(ready.json()["executing"]))),
        ", ".join(name for name, service in services.items() if not service["ok"]) or "-",
    ]


def submit(http: httpx.Client) -> Sent:
    name = f"o-{time.monotonic_ns()}"
    began = time.monotonic()
    response = answer_to(lambda: http.post("/api/orders", json=_ORDER | {"client_order_id": name}))
    answer = "-" if response is None else f"{response.status_code} {response.json().get('code', '')}".strip()
    return Sent(name, answer, time.monotonic() - began)


def answer_to(request: Callable[[], httpx.Response]) -> httpx.Response | None:
    """The answer, None if the gateway is unavailable."""
    try:
        return request()
    except httpx.HTTPError:
        return None


def settle(http: httpx.Client, sent: Sequence[Sent]) -> list[str]:
    """Wait until all orders have ended and orders are executed again. Returns the outcomes."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    outcomes = ["not settled"] * len(sent)
    while "not settled" in outcomes and time.monotonic() < deadline:
        ready = answer_to(lambda: http.get("/ready"))
        if ready is not None and ready.status_code == 200 and ready.json()["executing"]:
            outcomes = [outcome(http, each) for each in sent]
        else:
            time.sleep(0.05)
    return outcomes


def outcome(http: httpx.Client, sent: Sent) -> str:
    """The state of the order, with the code of its error. An acknowledged order that does not exist is LOST."""
    answer = answer_to(lambda: http.get(f"/api/orders/{sent.name}"))
    if answer is not None and answer.status_code == 404:
        return "LOST" if sent.answer == "201" else "not accepted"
    if answer is None or answer.status_code != 200:
        return "not settled"
    order = answer.json()["order"]
    if OrderStatus(order["status"]) not in _ENDED:
        return "not settled"
    return " ".join([order["status"], *([order["error"]["code"]] if order["error"] else [])])


def summary(values: Iterable[str]) -> str:
    """Such as ``201 (4), 503 (1)``, without numbers if all values are equal."""
    counts = Counter(values)
    return next(iter(counts)) if len(counts) == 1 else ", ".join(f"{value} ({n})" for value, n in counts.items())


def outages(daemon: Daemon) -> Iterator[Outage]:
    """Outages of one service are far apart, because frequent restarts are delayed."""
    state_dir = daemon.log.parent
    for service in SERVICES:
        stopped: list[int] = []

        def stop(service: str = service, stopped: list[int] = stopped) -> None:
            stopped += tree_of(pid_of(daemon, service))
            send(stopped, signal.SIGSTOP)

        yield Outage(f"{service} hangs", stop, partial(send, stopped, signal.SIGCONT))
    for service in SERVICES:
        restart = partial(signalled, daemon, service, STOP_SIGNALS.get(service, signal.SIGTERM))
        yield Outage(f"{service} is restarted", restart, seconds=_OBSERVED_SECONDS)
    for service in SERVICES:
        yield Outage(
            f"{service} is killed", partial(signalled, daemon, service, signal.SIGKILL), seconds=_OBSERVED_SECONDS
        )
    yield Outage("redis is emptied", lambda: call_redis(state_dir, "FLUSHALL"), seconds=_OBSERVED_SECONDS)
    yield Outage("redis is full", lambda: call_redis(state_dir, "CONFIG SET maxmemory 1"),
                 lambda: call_redis(state_dir, "CONFIG SET maxmemory 0"))  # fmt: skip
    yield Outage("postgres is read-only", lambda: read_only(state_dir, "on"), lambda: read_only(state_dir, "off"))
    for service in SERVICES:
        down = KeptDown(daemon, service)
        yield Outage(f"{service} stays down", down.begin, down.end)


def signalled(daemon: Daemon, service: str, number: signal.Signals) -> None:
    send([pid_of(daemon, service)], number)


def call_redis(state_dir: Path, command: str) -> None:
    with closing(RedisClient.from_url(Redis(state_dir).url)) as client:
        client.execute_command(*command.split())  # type: ignore[no-untyped-call]


def read_only(state_dir: Path, value: str) -> None:
    """Set the default of new sessions, and end the existing ones."""
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
