"""One connected client: its identity, its unanswered calls, and its subscriptions."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from websockets.exceptions import ConnectionClosed

from orderd.gateway.access.authentication import Principal
from orderd.gateway.streaming.peer import Peer
from orderd.gateway.streaming.subscription import Subscription

MAX_IN_FLIGHT: Final = 64
"""Maximum number of concurrent calls of one connection; beyond it, nothing more is read from the connection."""


class Requester(Protocol):
    """The client of a call, over either protocol."""

    @property
    def principal(self) -> Principal: ...


class Session:
    def __init__(self, peer: Peer, principal: Principal) -> None:
        self.peer = peer
        self.principal = principal
        self.slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        self.subscriptions: dict[int, Subscription] = {}
        self.next_subscription = 1
        self._tasks: set[asyncio.Task[None]] = set()

    def expire(self) -> None:
        """The client's API key has ended: refuse all further calls."""
        self.principal = replace(self.principal, expires_at=datetime.now(UTC))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` concurrently until it is done or the session ends."""
        task = asyncio.create_task(_while_connected(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # a task may be cancelled before it began

    async def finish(self) -> None:
        """Wait until all calls are answered."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def end(self) -> None:
        """The client has disconnected: its answers are no longer needed."""
        for task in self._tasks:
            task.cancel()


async def _while_connected(work: Coroutine[Any, Any, None]) -> None:
    with suppress(ConnectionClosed):  # the client is gone
        await work
