"""The application's heartbeat: each connection with a subscription gets it periodically, even without events."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from orderd.gateway.streaming.session import Session
from orderd.wire.rpc import HEARTBEAT
from orderd.wire.subscriptions import Heartbeat

HEARTBEAT_SECONDS: Final = 5
SLOTS: Final = 100
"""Parts of the period over which connections are spread, so that thousands do not get it at the same time."""
_HEAD: Final = f'{{"jsonrpc":"2.0","method":"{HEARTBEAT}","params":'.encode()


class Pacemaker:
    """``as_of`` is the time up to which everything stored has been sent."""

    def __init__(self, as_of: Callable[[], datetime]) -> None:
        self._as_of = as_of
        self._slots: list[set[Session]] = [set() for _ in range(SLOTS)]
        self._joined: set[Session] = set()
        self._is_wanted = asyncio.Event()

    def join(self, session: Session) -> None:
        """Send heartbeats to this session, once per period, as long as it has subscriptions."""
        if session not in self._joined:
            self._joined.add(session)
            min(self._slots, key=len).add(session)
            self._is_wanted.set()

    async def run(self) -> None:
        """Send heartbeats, until the task is cancelled."""
        while True:
            for slot in self._slots:
                await self._is_wanted.wait()
                await asyncio.sleep(HEARTBEAT_SECONDS / SLOTS)
                for session in tuple(slot):
                    if session.subscriptions:
                        session.peer.push(self._message(session))
                    else:
                        slot.discard(session)
                        self._joined.discard(session)
                        if not self._joined:
                            self._is_wanted.clear()

    def _message(self, session: Session) -> bytes:
        positions = (subscription.position for subscription in session.subscriptions.values())
        beat = Heartbeat.model_construct(
            at=datetime.now(UTC),
            as_of=self._as_of(),
            subscriptions=tuple(position for position in positions if position is not None),
        )
        return _HEAD + Heartbeat.__pydantic_serializer__.to_json(beat) + b"}"
