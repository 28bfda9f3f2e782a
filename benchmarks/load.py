"""A client that submits orders without pauses, and records the arrival of answers and events.

It runs on the measured machine, so it is as cheap as possible.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

from benchmarks.light_client import LightClient
from orderd.wire.rpc import ORDER_EVENT

_TERMINAL = frozenset({"confirmed", "failed", "cancelled", "expired"})


@dataclass
class Ended:
    """The events of all orders that one follower received. Delays in seconds, from the time stamp to the receipt."""

    delays: list[float] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


async def submit(client: LightClient, number: int) -> None:
    """Submit a small order: even numbers buy SOL, odd ones sell it."""
    pair = ("SOL", "USDC", "0.01") if number % 2 else ("USDC", "SOL", "1")
    params = dict(zip(("token_in", "token_out", "amount_in"), pair, strict=True))
    await client.call("order.submit", **params, slippage="5", client_order_id=uuid4().hex)


async def submit_many(url: str, orders: int, concurrent: int) -> list[float]:
    """Submit small orders over ``concurrent`` connections. Returns the seconds until each answer."""
    numbers = iter(range(orders))

    async def trade() -> list[float]:
        took = []
        async with LightClient.connected(url) as client:
            for number in numbers:
                began = time.perf_counter()
                await submit(client, number)
                took.append(time.perf_counter() - began)
        return took

    return [each for took in await asyncio.gather(*(trade() for _ in range(concurrent))) for each in took]


@asynccontextmanager
async def following(url: str) -> AsyncIterator[Ended]:
    """Follow all orders while the block runs."""
    seen = Ended()

    def on_message(message: dict[str, Any], arrived: float) -> None:
        if message["method"] != ORDER_EVENT or message["params"]["type"] != "EVENT":
            return
        event = message["params"]["event"]
        seen.delays.append(arrived - datetime.fromisoformat(event["at"]).timestamp())
        if event["status"] in _TERMINAL:
            seen.outcomes[event["order_id"]] = event["status"]
            seen.changed.set()

    async with LightClient.connected(url, on_message) as client:
        await client.call("orders.subscribe")
        yield seen


async def all_ended(seen: Ended, orders: int, patience: float = 60.0) -> None:
    """Wait until this many orders have ended. Raises TimeoutError when none ends for ``patience`` seconds."""
    for _ in count():
        if len(seen.outcomes) >= orders:
            return
        seen.changed.clear()
        await asyncio.wait_for(seen.changed.wait(), patience)
