"""A client that submits orders without pauses, and records the arrival of answers and events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from orderd.wire.rpc import ORDER_EVENT

_TERMINAL = frozenset({"confirmed", "failed", "cancelled", "expired"})


@dataclass
class Ended:
    """The events of all orders that one follower received. Delays in seconds, from the commit to the receipt."""

    delays: list[float] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


async def call(connection: ClientConnection, request_id: int, method: str, params: dict[str, Any]) -> Any:
    """The result of a call on a connection without other traffic."""
    await connection.send(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
    answer = json.loads(await connection.recv())
    if "error" in answer:
        raise RuntimeError(answer["error"]["data"]["detail"])
    return answer["result"]


class Trader:
    """A connection that submits small orders consecutively."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str) -> AsyncIterator["Trader"]:
        async with connect(url, compression=None) as connection:
            yield cls(connection)

    async def submit(self, number: int) -> None:
        """Even numbers buy SOL, odd ones sell it."""
        pair = ("SOL", "USDC", "0.01") if number % 2 else ("USDC", "SOL", "1")
        params = dict(zip(("token_in", "token_out", "amount_in"), pair, strict=True))
        params |= {"slippage": "5", "client_order_id": uuid4().hex}
        await call(self._connection, number, "order.submit", params)


async def submit_many(url: str, orders: int, concurrent: int) -> list[float]:
    """Submit small orders over ``concurrent`` connections. Returns the seconds until each answer."""
    numbers = iter(range(orders))

    async def client() -> list[float]:
        took = []
        async with Trader.connected(url) as trader:
            for number in numbers:
                began = time.perf_counter()
                await trader.submit(number)
                took.append(time.perf_counter() - began)
        return took

    return [each for took in await asyncio.gather(*(client() for _ in range(concurrent))) for each in took]


@asynccontextmanager
async def following(url: str) -> AsyncIterator[Ended]:
    """Follow all orders while the block runs."""
    seen = Ended()

    async def listen(connection: ClientConnection) -> None:
        async for message in connection:
            arrived = time.time()
            frame = json.loads(message)
            if frame.get("method") != ORDER_EVENT or frame["params"]["type"] != "EVENT":
                continue
            event = frame["params"]["event"]
            seen.delays.append(arrived - datetime.fromisoformat(event["at"]).timestamp())
            if event["status"] in _TERMINAL:
                seen.outcomes[event["order_id"]] = event["status"]
                seen.changed.set()

    async with connect(url, compression=None, max_size=2**24) as connection:
        await call(connection, 0, "orders.subscribe", {})
        listener = asyncio.create_task(listen(connection))
        try:
            yield seen
        finally:
            listener.cancel()


async def all_ended(seen: Ended, orders: int, patience: float = 60.0) -> None:
    """Wait until this many orders have ended. Raises TimeoutError when none ends for ``patience`` seconds."""
    for _ in count():
        if len(seen.outcomes) >= orders:
            return
        seen.changed.clear()
        await asyncio.wait_for(seen.changed.wait(), patience)
