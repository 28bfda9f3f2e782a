"""One service that the gateway stands on, asked how it is: no more often than once a second, and never for long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import Field
from redis.exceptions import RedisError

from orderd.domain.errors import OrderdError
from orderd.wire import ServiceHealth

MAX_AGE_SECONDS: Final = 1.0
"""A service is asked no more often than this, however many want to know."""
PATIENCE_SECONDS: Final = 0.8
"""Within the second that those who ask whether a process lives commonly wait."""


class Dependency(ServiceHealth):
    """A service, when it was last asked."""

    latency_ms: float | None = Field(None, description="absent where it did not answer")


class Probe:
    """One service. However it behaves, whoever asks is answered soon, and it is asked once at a time."""

    def __init__(self, ask: Callable[[], Awaitable[object]]) -> None:
        """``ask`` raises OrderdError, RedisError or OSError where the service is not well."""
        self._ask = ask
        self._question: asyncio.Task[Dependency] | None = None
        self._asked_at = 0.0

    async def state(self) -> Dependency:
        now = time.monotonic()
        if self._question is None or (self._question.done() and now - self._asked_at > MAX_AGE_SECONDS):
            self._asked_at = now
            self._question = asyncio.create_task(self._answer())
        patience = self._asked_at + PATIENCE_SECONDS - now
        done, _ = await asyncio.wait([self._question], timeout=max(patience, 0.0))
        if not done:
            return Dependency(ok=False, detail=f"no answer in {time.monotonic() - self._asked_at:.1f} s")
        return self._question.result()

    async def _answer(self) -> Dependency:
        began = time.perf_counter()
        try:
            await self._ask()
        except OrderdError as error:
            return Dependency(ok=False, detail=error.detail)
        except (RedisError, OSError) as error:
            return Dependency(ok=False, detail=str(error) or type(error).__name__)
        return Dependency(ok=True, latency_ms=round((time.perf_counter() - began) * 1000, 1))
