"""``python -m benchmarks.tui``: CPU of the full screen, and the latency of keys.

It runs in a terminal of 120 by 40 cells with 2,000 active orders and 200 events per second; each filled order is
replaced with a new one. The CPU is measured without input. Then keys are pressed at random moments, and all pages are
scrolled as fast as possible.

Before that, it is opened several times, and orders are sent from its form to an idle daemon.
"""

import argparse
import asyncio
import fcntl
import json
import os
import pty
import random
import struct
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from rich.console import Console
from rich.table import Table
from uuid_utils import uuid7
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.figures import quantile
from benchmarks.orderctl import ENVIRONMENT, ORDERCTL
from orderctl.tui.book import accepted, advanced
from orderd.domain.events import OrderEvent
from orderd.process.temporary import running_daemon
from orderd.wire.fills import HistoryResult
from orderd.wire.message import Message
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import ListResult, OrderView
from orderd.wire.prices import PricesResult, PricesSubscribeResult
from orderd.wire.rpc import ORDER_EVENT, Method
from orderd.wire.subscriptions import Event, Ready, Snapshot, SubscribeResult
from orderd.wire.tokens import TokensResult
from tests.samples.orders import FILLED, QUOTE, history
from tests.unit.orderctl.tui.desks import CANDLES, STATUS, WALLET

ORDERS = 2_000
EVENTS_PER_SECOND = 200
COLUMNS, LINES = 120, 40
PAGES = ORDERS // 5
"""More than the table has, because it shows more than 5 orders below the candles."""
FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)
"""Two orders that never change. Sorted by id, all others are between them."""


class Trade:
    """An active order, which is replaced with a new one when it is filled."""

    def __init__(self, order_id: UUID | None = None) -> None:
        self._begin(order_id)

    def _begin(self, order_id: UUID | None = None) -> None:
        events = history(FILLED, order_id or UUID(str(uuid7())))
        self._events: Iterator[OrderEvent] = iter([event.model_copy(update={"at": now()}) for event in events])
        self.event = next(self._events)
        self.order: OrderView = accepted(self.event)

    def advance(self) -> Iterator[OrderEvent]:
        """The next event, with the first event of the next order after the last one."""
        self.event = next(self._events).model_copy(update={"at": now()})
        self.order = advanced(self.order, self.event)
        yield self.event
        if self.event.seq == len(FILLED):
            self._begin()
            yield self.event


def now() -> datetime:
    return datetime.now(UTC)


class Feed:
    """A fake daemon, which only sends messages."""

    def __init__(self) -> None:
        self._still = [Trade(FIRST), Trade(LAST)]
        self._moving = [Trade() for _ in range(ORDERS - len(self._still))]
        for number, trade in enumerate(self._moving):
            for _ in range(number % (len(FILLED) - 1)):
                list(trade.advance())
        self.live = threading.Event()
        self.sent = 0
        self.url = ""
        self._answers: dict[str, Message] = {
            Method.ORDERS_LIST: ListResult(orders=(), next_cursor=None),
            Method.BALANCES: WALLET,
            Method.STATUS: STATUS,
            Method.QUOTE: QUOTE,
            Method.TOKENS: TokensResult(tokens=QUOTE.tokens),
            Method.HISTORY: HistoryResult(fills=(), totals=None, next_cursor=None),
            Method.PRICES: PricesResult(base="SOL", quote="USDC", interval="1m", candles=CANDLES),
            Method.PRICES_SUBSCRIBE: PricesSubscribeResult(
                subscription=2, base="SOL", quote="USDC", interval="1m", candles=CANDLES[-2:]
            ),
            Method.ORDER_GET: OrderDetail(
                order=self._still[0].order, events=history(FILLED, FIRST), attempts=(), failures=()
            ),
        }

    async def run(self, started: threading.Event) -> None:
        async with serve(self._serve, "127.0.0.1", 0, compression=None) as server:
            self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            started.set()
            await server.serve_forever()

    async def _serve(self, connection: ServerConnection) -> None:
        sending: asyncio.Task[None] | None = None
        with suppress(ConnectionClosed):
            while True:
                call = json.loads(await connection.recv())
                if call["method"] == Method.ORDERS_SUBSCRIBE:
                    await self._reply(connection, call["id"], SubscribeResult(subscription=1))
                    sending = asyncio.create_task(self._send_events(connection))
                else:
                    await self._reply(connection, call["id"], self._answers[call["method"]])
        if sending is not None:
            sending.cancel()

    async def _reply(self, connection: ServerConnection, request: int, answer: Message) -> None:
        body = answer.model_dump(mode="json")
        await connection.send(json.dumps({"jsonrpc": "2.0", "id": request, "result": body}))

    async def _send_events(self, connection: ServerConnection) -> None:
        try:
            for trade in (*self._still, *self._moving):
                await self._notify(connection, Snapshot(subscription=1, order=trade.order))
            await self._notify(connection, Ready(subscription=1, orders=ORDERS))
            self.live.set()
            began = time.monotonic()
            for number in count():
                for event in self._moving[number * 7 % len(self._moving)].advance():
                    await self._notify(connection, Event(subscription=1, event=event))
                    self.sent += 1
                    await asyncio.sleep(began + self.sent / EVENTS_PER_SECOND - time.monotonic())
        except ConnectionClosed:
            pass

    async def _notify(self, connection: ServerConnection, message: Message) -> None:
        params: dict[str, Any] = message.model_dump(mode="json")
        await connection.send(json.dumps({"jsonrpc": "2.0", "method": ORDER_EVENT, "params": params}))


@contextmanager
def running_feed() -> Iterator[Feed]:
    feed, started = Feed(), threading.Event()
    threading.Thread(target=lambda: asyncio.run(feed.run(started)), daemon=True).start()
    started.wait()
    yield feed


class Terminal:
    """Reads the output of a program, so that it never waits for its terminal."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._drawn = b""
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.fd, 65_536)
            except OSError:
                return
            with self._changed:
                self._drawn = (self._drawn + data)[-1_000_000:]
                self._changed.notify_all()

    def press(self, keys: bytes, shows: bytes) -> float:
        """Seconds from the keys until ``shows`` is drawn. Raises SystemExit after 10 seconds."""
        if (delay := self.delay(keys, shows, 10)) is None:
            raise SystemExit(f"{shows!r} was not drawn after {keys[:10]!r}")
        return delay

    def delay(self, keys: bytes, shows: bytes, seconds: float) -> float | None:
        """Seconds from the keys until ``shows`` is drawn, None if it is not within ``seconds``."""
        with self._changed:
            self._drawn = b""
        began = time.perf_counter()
        os.write(self.fd, keys)
        return time.perf_counter() - began if self.has_drawn(shows, seconds) else None

    def wait_for(self, shows: bytes, after: str) -> None:
        if not self.has_drawn(shows, 10):
            raise SystemExit(f"{shows!r} was not drawn after {after}")

    def has_drawn(self, shows: bytes, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: shows in self._drawn, seconds)


@contextmanager
def full_screen(url: str) -> Iterator[tuple["subprocess.Popen[bytes]", Terminal]]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    # Without state of earlier runs.
    environment = {**ENVIRONMENT, "XDG_STATE_HOME": os.devnull, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
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


HELP: Final = (b"?", b"Help")
CLOSE: Final = (b"q", b"Filter")
"""Shows the footer again. Not Esc, which is recognized only after a tenth of a second."""
BOTTOM: Final = (b"G", str(LAST)[:13].encode())
TOP: Final = (b"g", str(FIRST)[:13].encode())
PAGE_DOWN: Final = b"\x1b[6~"


def measure(seconds: float, rounds: int) -> tuple[float, float, list[float], float]:
    """The share of a core, the events sent per second, the delays of keys, and the seconds to scroll all pages."""
    with running_feed() as feed, full_screen(feed.url) as (process, terminal):
        if not feed.live.wait(30):
            raise SystemExit("the full screen did not subscribe")
        terminal.press(b"s", b"by id")
        used, events, began = cpu_seconds(process), feed.sent, time.perf_counter()
        time.sleep(seconds)
        took = time.perf_counter() - began
        share, rate = (cpu_seconds(process) - used) / took, (feed.sent - events) / took
        delays = []
        for _ in range(rounds):
            for key, shows in (HELP, CLOSE, BOTTOM, TOP):
                time.sleep(random.uniform(0.02, 0.15))
                delays.append(terminal.press(key, shows))
        return share, rate, delays, terminal.press(PAGE_DOWN * PAGES, BOTTOM[1])


OPENING: Final = b"connecting to"
FIRST_PICTURE: Final = b"Quit"
"""The footer, which is drawn last."""


def opened(url: str, runs: int) -> tuple[float, float, float]:
    """Median seconds until the first output and until the first whole picture, and CPU seconds until the latter."""
    output, picture, cpu = [], [], []
    for _ in range(runs):
        began = time.perf_counter()
        with full_screen(url) as (process, terminal):
            terminal.wait_for(OPENING, "the start")
            output.append(time.perf_counter() - began)
            terminal.wait_for(FIRST_PICTURE, "the start")
            picture.append(time.perf_counter() - began)
            cpu.append(cpu_seconds(process))
    return quantile(output, 0.5), quantile(picture, 0.5), quantile(cpu, 0.5)


FORM: Final = (b"n", b"New order")
AMOUNT: Final = (b"0.1", b"Sell 0.1 SOL")
TO_THE_BUTTON: Final = b"\x1b[Z" * 3
"""Backwards, over the sold token and the button that closes the form."""
SUBMITTED: Final = b"submi"
"""A part, because a neighbouring widget can cut it."""


def sent(orders: int) -> list[float]:
    """Seconds from Enter on the form's button until the order is shown as submitted, on an idle daemon. Orders that are
    filled before that is drawn, on a busy machine, are left out."""
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_daemon(Path(directory), {"ORDERD_SIMNET_MARKET": "false", "ORDERD_RATE_LIMIT": "0"}) as daemon,
        full_screen(daemon.url) as (_, terminal),
    ):
        terminal.wait_for(b"live", "the start")
        delays = []
        for _ in range(orders):
            terminal.press(*FORM)
            terminal.press(*AMOUNT)
            os.write(terminal.fd, TO_THE_BUTTON)
            time.sleep(0.3)
            delays.append(terminal.delay(b"\r", SUBMITTED, 1))
            time.sleep(1)
        return [delay for delay in delays if delay is not None]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tui", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="duration of the CPU measurement [15]")
    parser.add_argument("--orders", type=int, default=15, help="number of orders from the form [15]")
    parser.add_argument("--rounds", type=int, default=50, help="number of rounds of four keys [50]")
    arguments = parser.parse_args()
    with running_feed() as feed:
        output, picture, cpu = opened(feed.url, 5)
    submitted = sent(arguments.orders)
    share, rate, delays, paging = measure(arguments.seconds, arguments.rounds)
    table = Table("", "measured", "goal", title=f"orderctl tui on {os.cpu_count()} cores")

    def row(name: str, value: float, limit: float, shown: Callable[[float], str]) -> None:
        table.add_row(name, shown(value), f"under {shown(limit)}", style="" if value < limit else "red")

    def milliseconds(seconds: float) -> str:
        return f"{seconds * 1000:.0f} ms"

    row("first output", output, 0.4, milliseconds)
    row("first picture", picture, 0.4, milliseconds)
    row("first picture, CPU", cpu, 0.6, milliseconds)
    if submitted:
        row(f"Enter to submitted, median of {len(submitted)}", quantile(submitted, 0.5), 0.040, milliseconds)
    row(f"{ORDERS} orders, {rate:.0f} events/s", share, 0.5, lambda value: f"{value:.0%} of a core")
    row(f"key to screen, median of {len(delays)}", quantile(delays, 0.5), 0.100, milliseconds)
    row("key to screen, p99", quantile(delays, 0.99), 0.100, milliseconds)
    row(f"{PAGES} pages down, key held", paging, PAGES / 30, milliseconds)
    Console().print(table)


if __name__ == "__main__":
    main()
