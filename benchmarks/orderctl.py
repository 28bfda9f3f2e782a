"""``python -m benchmarks.orderctl``: how long traders wait for their client, and what the full screen costs.

Help and the list are timed as processes; the full screen runs in a terminal of 120 by 40, over 2,000 active orders and
200 events a second, while a key is pressed again and again until its effect is seen.
"""

import argparse
import asyncio
import fcntl
import json
import os
import pty
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table
from uuid_utils import uuid7
from websockets.asyncio.server import ServerConnection, serve

from orderd.demo import running_daemon
from orderd.domain.events import Deferred, OrderEvent
from orderd.domain.order import OrderStatus
from orderd.wire import (
    ORDER_EVENT,
    BalancesResult,
    Event,
    ListResult,
    Message,
    Method,
    OrderView,
    RateLimitUse,
    Ready,
    Snapshot,
    StatusResult,
    SubscribeResult,
)

ORDERCTL = Path(sys.executable).with_name("orderctl")
ORDERS = 2_000
EVENTS_A_SECOND = 200
COLUMNS, LINES = 120, 40


def cpu_and_wall(*args: str, url: str, runs: int) -> tuple[float, float]:
    """Median seconds of CPU and of wall clock that a command takes."""
    cpu, wall = [], []
    for _ in range(runs):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [ORDERCTL, "--url", url, *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wall.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(cpu), statistics.median(wall)


class Feed:
    """A daemon of words alone: all orders are active for ever, and each event moves the next of them."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self._orders = [
            OrderView(
                id=UUID(str(uuid7())),
                client_order_id=f"order-{number}",
                token_in="SOL",
                token_out="USDC",
                amount_in="1.5",
                slippage="0.5",
                status=OrderStatus.PENDING,
                seq=1,
                attempt=0,
                created_at=now,
                updated_at=now,
            )
            for number in range(ORDERS)
        ]
        self.live = threading.Event()
        self.sent = 0
        self.url = ""
        self._answers: dict[str, Message] = {
            Method.ORDERS_LIST: ListResult(orders=(), next_cursor=None),
            Method.BALANCES: BalancesResult(wallet="A" * 44, balances=()),
            Method.STATUS: StatusResult(
                version="0.1.0",
                wire_version=1,
                chain="simnet",
                wallet="A" * 44,
                started_at=now,
                draining=False,
                services={},
                orders={OrderStatus.PENDING: ORDERS},
                rate_limit=RateLimitUse(limit=100, window_seconds=60, used=100, waiting=ORDERS),
                queue_depth=ORDERS,
                workers=1,
                slot=1,
            ),
        }

    async def run(self, started: threading.Event) -> None:
        async with serve(self._serve, "127.0.0.1", 0, compression=None) as server:
            self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            started.set()
            await server.serve_forever()

    async def _serve(self, connection: ServerConnection) -> None:
        news: asyncio.Task[None] | None = None
        async for text in connection:
            call = json.loads(text)
            answer = self._answers.get(call["method"])
            if call["method"] == Method.ORDERS_SUBSCRIBE:
                await self._reply(connection, call["id"], SubscribeResult(subscription=1))
                news = asyncio.create_task(self._tell(connection))
            elif answer is not None:
                await self._reply(connection, call["id"], answer)
        if news is not None:
            news.cancel()

    async def _reply(self, connection: ServerConnection, request: int, answer: Message) -> None:
        body = answer.model_dump(mode="json")
        await connection.send(json.dumps({"jsonrpc": "2.0", "id": request, "result": body}))

    async def _tell(self, connection: ServerConnection) -> None:
        for order in self._orders:
            await self._notify(connection, Snapshot(subscription=1, order=order))
        await self._notify(connection, Ready(subscription=1, orders=ORDERS))
        self.live.set()
        began = time.monotonic()
        for number in count():
            await asyncio.sleep(began + number / EVENTS_A_SECOND - time.monotonic())
            order = self._orders[number * 7 % ORDERS]
            fact = Deferred(until=datetime.now(UTC) + timedelta(seconds=9), reason="the rate limit is reached")
            seq = 2 + number // ORDERS
            event = OrderEvent(order_id=order.id, seq=seq, at=datetime.now(UTC), status=OrderStatus.PENDING, data=fact)
            await self._notify(connection, Event(subscription=1, event=event))
            self.sent += 1

    async def _notify(self, connection: ServerConnection, news: Message) -> None:
        params: dict[str, Any] = news.model_dump(mode="json")
        await connection.send(json.dumps({"jsonrpc": "2.0", "method": ORDER_EVENT, "params": params}))


class Terminal:
    """Reads all that a program draws, so that it never waits for its terminal."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._drawn = b""
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 65_536)
            except OSError:
                return
            with self._changed:
                self._drawn = (self._drawn + data)[-1_000_000:]
                self._changed.notify_all()

    def press(self, key: bytes, shows: bytes) -> float:
        """Seconds from a key to what it brings onto the screen."""
        with self._changed:
            self._drawn = b""
        began = time.perf_counter()
        os.write(self._fd, key)
        with self._changed:
            if not self._changed.wait_for(lambda: shows in self._drawn, timeout=10):
                raise SystemExit(f"{key!r} did not bring {shows!r}")
        return time.perf_counter() - began


@contextmanager
def full_screen(url: str) -> Iterator[tuple["subprocess.Popen[bytes]", Terminal]]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(
        [ORDERCTL, "--url", url, "tui"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    try:
        yield process, Terminal(ours)
    finally:
        process.terminate()
        process.wait()
        os.close(ours)


def cpu_seconds(process: "subprocess.Popen[bytes]") -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch_the_screen(seconds: float) -> tuple[float, float, list[float]]:
    """The share of a core that the full screen uses, the events it was sent a second, and the keys' delays."""
    feed, started = Feed(), threading.Event()
    threading.Thread(target=lambda: asyncio.run(feed.run(started)), daemon=True).start()
    started.wait()
    with full_screen(feed.url) as (process, terminal):
        if not feed.live.wait(30):
            raise SystemExit("the full screen did not subscribe")
        terminal.press(b"?", b"Help")
        terminal.press(b"\x1b", b"Active")
        used, events, began = cpu_seconds(process), feed.sent, time.perf_counter()
        time.sleep(seconds)
        took = time.perf_counter() - began
        share, rate = (cpu_seconds(process) - used) / took, (feed.sent - events) / took
        delays = []
        for _ in range(20):
            delays.append(terminal.press(b"?", b"Help"))
            delays.append(terminal.press(b"q", b"Active"))
        return share, rate, delays


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orderctl", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="how long to watch the full screen [15]")
    parser.add_argument("--runs", type=int, default=7, help="of each command [7]")
    arguments = parser.parse_args()
    table = Table("", "measured", "wanted", title=f"orderctl on {os.cpu_count()} cores")

    def row(name: str, value: float, limit: float, shown: Callable[[float], str]) -> None:
        table.add_row(name, shown(value), f"under {shown(limit)}", style="" if value < limit else "red")

    def milliseconds(seconds: float) -> str:
        return f"{seconds * 1000:.0f} ms"

    cpu, _ = cpu_and_wall("--help", url="ws://127.0.0.1:1/", runs=arguments.runs)
    row("orderctl --help, CPU", cpu, 0.150, milliseconds)
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_daemon(Path(directory), {"ORDERD_SIMNET_MARKET": "false"}) as daemon,
    ):
        _, wall = cpu_and_wall("list", url=daemon.url, runs=arguments.runs)
    row("orderctl list, wall", wall, 0.300, milliseconds)
    share, rate, delays = watch_the_screen(arguments.seconds)
    row(f"full screen, {ORDERS} orders, {rate:.0f} events/s", share, 0.5, lambda value: f"{value:.0%} of a core")
    row("key to screen, median", statistics.median(delays), 0.100, milliseconds)
    row("key to screen, slowest", max(delays), 0.100, milliseconds)
    Console().print(table)


if __name__ == "__main__":
    main()
