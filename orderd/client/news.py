"""What the asyncio client reports, and its interface. This module does not load websockets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from orderd.wire.message import Message
from orderd.wire.prices import CandleChange
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Event, Heartbeat, Ready, ResyncRequired, Snapshot

A = TypeVar("A", bound=Message)


@dataclass(frozen=True, slots=True)
class Opened:
    """The client has connected: snapshots of all active orders follow, then Ready, then events."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The client is not connected; it reconnects in ``retry_in`` seconds."""

    reason: str
    retry_in: float


News = Opened | Closed | Snapshot | ResyncRequired | Event | Ready | Heartbeat | CandleChange
"""What ``Link.run`` reports. CandleChange is reported only if ``prices.subscribe`` was called since the last Opened."""
OnNews = Callable[[News], None]


class Caller(Protocol):
    """The interface of ``Link``."""

    async def run(self, on_news: OnNews) -> None: ...

    async def call(self, method: Method, params: Message, answer: type[A]) -> A: ...
