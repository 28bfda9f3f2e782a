"""``python -m benchmarks.subscribers``: thousands of websockets on one gateway, each following its own order.

All orders are submitted while the worker is suspended. Then it executes them at a limited rate, and each subscriber
waits for the last event of its order. A delay begins at the event's time, which Postgres sets in the committing
statement, and ends when the client receives it, so it includes the commit. A second run adds stuck readers, which
follow all orders and never read.
"""

import argparse
import asyncio
import os
import resource
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import uuid4

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.figures import milliseconds
from benchmarks.light_client import LightClient
from orderd.process.temporary import Daemon, running_daemon
from orderd.whole_file import read_address

_SETTINGS = {
    "ORDERD_RATE_WINDOW_SECONDS": "1",
    "ORDERD_SIMNET_SLOT_MS": "100",
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_LOG_LEVEL": "warning",
    "ORDERD_MAX_CONNECTIONS": "0",
    "ORDERD_MAX_CONNECTIONS_PER_ADDRESS": "0",
}
_AT_ONCE = 50
_PATIENCE_SECONDS = 60.0
_SMALL_BUFFER_BYTES = 4096
_TERMINAL = frozenset({"confirmed", "failed", "cancelled"})


@dataclass
class Run:
    """The results of a run. Delays in seconds, memory in KiB per connection."""

    connecting: list[float] = field(default_factory=list)
    connect_seconds: float = 0.0
    idle_memory: float = 0.0
    following_memory: float = 0.0
    delays: list[float] = field(default_factory=list)
    final_delays: list[float] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    event_seconds: float = 0.0
    closed: dict[str, int] = field(default_factory=dict)
    gateway_cpu: float = 0.0


class Subscriber:
    """Follows one order, and checks that its events come without gaps."""

    client: LightClient

    def __init__(self, run: Run, ended: asyncio.Event) -> None:
        self._run = run
        self._ended = ended
        self._seq = 0

    async def connect(self, url: str) -> None:
        self.client = await LightClient.connect(url, self._on_message)

    async def submit_and_follow(self, number: int) -> None:
        pair = ("SOL", "USDC", "0.001") if number % 2 else ("USDC", "SOL", "0.1")
        terms = dict(zip(("token_in", "token_out", "amount_in"), pair, strict=True))
        answer = await self.client.call("order.submit", **terms, slippage="5", client_order_id=uuid4().hex)
        await self.client.call("orders.subscribe", order=answer["order"]["id"])

    def _on_message(self, message: dict[str, Any], arrived: float) -> None:
        params = message["params"]
        if params.get("type") == "SNAPSHOT":
            self._seq = params["order"]["seq"]
        elif params.get("type") == "EVENT":
            event = params["event"]
            if event["seq"] != self._seq + 1:
                raise RuntimeError(f"event {event['seq']} came after {self._seq}")
            self._seq = event["seq"]
            delay = arrived - datetime.fromisoformat(event["at"]).timestamp()
            self._run.delays.append(delay)
            if event["status"] in _TERMINAL:
                self._run.final_delays.append(delay)
                self._run.ended.add(event["order_id"])
                self._ended.set()


async def measure(daemon: Daemon, subscribers: int, stuck: int) -> Run:
    """Measure a new daemon."""
    run, ended = Run(), asyncio.Event()
    address = urlsplit(daemon.url)
    host, port = address.hostname or "", address.port or 0
    pid = read_address(daemon.log.parent / "gateway.json")["pid"]
    turn = asyncio.Semaphore(_AT_ONCE)

    async def open_one() -> Subscriber:
        async with turn:
            began = time.perf_counter()
            subscriber = Subscriber(run, ended)
            await subscriber.connect(daemon.url)
            run.connecting.append(time.perf_counter() - began)
            return subscriber

    async def follow_one(number: int, subscriber: Subscriber) -> None:
        async with turn:
            await subscriber.submit_and_follow(number)

    with _worker_paused(daemon):
        memory, began = _memory(pid), time.perf_counter()
        followers = await asyncio.gather(*(open_one() for _ in range(subscribers)))
        run.connect_seconds = time.perf_counter() - began
        run.idle_memory = (_memory(pid) - memory) / subscribers
        await asyncio.gather(*(follow_one(number, each) for number, each in enumerate(followers)))
        run.following_memory = (_memory(pid) - memory) / subscribers
        readers = [await _open_small(host, port) for _ in range(stuck)]
        await asyncio.gather(*(_stop_reading(each) for each in readers))
        cpu, began = _cpu(pid), time.perf_counter()
    while len(run.ended) < subscribers:
        ended.clear()
        await asyncio.wait_for(ended.wait(), _PATIENCE_SECONDS)
    run.event_seconds, run.gateway_cpu = time.perf_counter() - began, _cpu(pid) - cpu
    if stuck:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while _metric(daemon.url, "orderd_ws_connections") > subscribers:  # noqa: ASYNC110  (in another process)
                await asyncio.sleep(0.5)
            run.closed = {
                "disconnected": stuck,
                "disconnected as slow": _metric(daemon.url, "orderd_ws_slow_disconnects_total"),
                "that received code 1013": sum([await _close_code(each) == 1013 for each in readers]),
            }
    await asyncio.gather(*(each.client.close() for each in followers))
    return run


async def _open_small(host: str, port: int) -> LightClient:
    """A connection with a small receive buffer."""
    loop = asyncio.get_running_loop()
    reader = LightClient(f"{host}:{port}", lambda *_: None)
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER_BYTES)
    small.setblocking(False)
    await loop.sock_connect(small, (host, port))
    await loop.create_connection(lambda: reader, sock=small)
    await reader.opened
    return reader


async def _stop_reading(reader: LightClient) -> None:
    """Follow all orders without reading the events."""
    await reader.call("orders.subscribe")
    reader.transport.pause_reading()


async def _close_code(reader: LightClient) -> int | None:
    """Read the rest until the connection closes."""
    reader.transport.resume_reading()
    await reader.lost
    return reader.close_code


@contextmanager
def _worker_paused(daemon: Daemon) -> Iterator[None]:
    (worker,) = (pid for pid in _children(daemon.process.pid) if b"worker" in _command(pid))
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _command(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def _memory(pid: int) -> int:
    """Resident memory in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def _cpu(pid: int) -> float:
    """CPU seconds: fields 14 and 15 of proc_pid_stat(5)."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


def _metric(url: str, name: str) -> int:
    metrics = urlsplit(url)._replace(scheme="http", path="/metrics").geturl()
    with urlopen(metrics) as answer:
        lines = answer.read().decode().splitlines()
    return next(int(float(line.split()[1])) for line in lines if line.startswith(f"{name} "))


def add_rows(table: Table, run: Run, stuck: int) -> None:
    count = len(run.final_delays)
    with_stuck = f", {stuck} stuck readers" if stuck else ""
    table.add_section()
    table.add_row(
        f"open a websocket, {_AT_ONCE} at a time",
        *milliseconds(run.connecting),
        f"{count / run.connect_seconds:.0f}/s",
    )
    table.add_row("memory per idle websocket", f"{run.idle_memory:.1f} KiB", "", "")
    table.add_row("memory per following websocket", f"{run.following_memory:.1f} KiB", "", "")
    table.add_row(
        f"commit to subscriber, final events{with_stuck}",
        *milliseconds(run.final_delays),
        f"{count} subscribers in {run.event_seconds:.1f} s",
    )
    table.add_row(
        f"commit to subscriber, all events{with_stuck}",
        *milliseconds(run.delays),
        f"{len(run.delays) / run.event_seconds:.0f}/s, gateway at {run.gateway_cpu / run.event_seconds:.0%} of a core",
    )
    for label, number in run.closed.items():
        table.add_row(f"stuck readers {label}", "", "", str(number))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.subscribers", description=__doc__)
    parser.add_argument("--subscribers", type=int, default=5_000, help="number of websockets [5000]")
    parser.add_argument("--rate", type=int, default=100, help="orders started per second [100]")
    parser.add_argument("--stuck", type=int, default=100, help="stuck readers in the second run [100]")
    arguments = parser.parse_args()
    _, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (maximum, maximum))

    settings = _SETTINGS | {"ORDERD_RATE_LIMIT": str(arguments.rate)}
    table = Table("", "median", "p99", "", title=f"{arguments.subscribers} subscribers on {os.cpu_count()} cores")
    for stuck in (0, arguments.stuck):
        with (
            tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
            running_daemon(Path(directory), settings) as daemon,
        ):
            run = uvloop.run(measure(daemon, arguments.subscribers, stuck))
        add_rows(table, run, stuck)
    Console().print(table)


if __name__ == "__main__":
    main()
