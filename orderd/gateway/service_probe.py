"""Probes one service that the gateway depends on: at most once per second, with a time-out."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import Field
from redis.exceptions import RedisError

from orderd.best_effort import failed
from orderd.domain.errors import OrderdError
from orderd.wire.status import ServiceHealth

T = TypeVar("T")

MAX_AGE_SECONDS: Final = 1.0
"""Minimum interval between probes of a service, for any number of requests."""
PATIENCE_SECONDS: Final = 0.8
"""Probes of a process's health commonly wait a second."""


class Dependency(ServiceHealth):
    """A service, as of its last probe."""

    latency_ms: float | None = Field(None, description="absent where it did not answer")


@dataclass(frozen=True, slots=True)
class ProbeResult(Generic[T]):
    """The state of a service, and its answer: None without one. ``is_late`` if it may still answer."""

    health: Dependency
    value: T | None = None
    is_late: bool = False


class Probe(Generic[T]):
    """Probes one service. Requests are answered soon whatever it does, and one probe runs at a time."""

    def __init__(
        self, ask: Callable[[], Awaitable[T]], *, patience: float | None = None, max_age: float | None = None
    ) -> None:
        """``patience`` is the time-out and ``max_age`` the maximum age of an answer, in seconds.

        If ``ask`` raises anything, the service counts as down.
        """
        self._ask = ask
        self._patience = patience
        self._max_age = max_age
        self._question: asyncio.Task[ProbeResult[T]] | None = None
        self._began_at = 0.0

    @property
    def _waits(self) -> float:
        return PATIENCE_SECONDS if self._patience is None else self._patience

    async def state(self) -> Dependency:
        """The state of the service."""
        return (await self.find()).health

    async def find(self) -> ProbeResult[T]:
        """The state of the service, and its answer."""
        max_age = MAX_AGE_SECONDS if self._max_age is None else self._max_age
        now = time.monotonic()
        if self._question is None or (self._question.done() and now - self._began_at > max_age):
            self._began_at = now
            self._question = asyncio.create_task(self._answer())
        done, _ = await asyncio.wait([self._question], timeout=max(self._began_at + self._waits - now, 0.0))
        if not done:
            late = f"no answer in {time.monotonic() - self._began_at:.1f} s"
            return ProbeResult(Dependency(ok=False, detail=late), is_late=True)
        return self._question.result()

    async def _answer(self) -> ProbeResult[T]:
        began = time.perf_counter()
        try:
            value = await self._ask()
        except OrderdError as error:
            detail = error.detail
        except (RedisError, OSError) as error:
            detail = _first_line(error)
        except Exception as error:  # noqa: BLE001  (an unforeseen failure is an answer as well)
            failed("probe", error)
            detail = _first_line(error)
        else:
            return ProbeResult(Dependency(ok=True, latency_ms=round((time.perf_counter() - began) * 1000, 1)), value)
        # A failure after this long is not a refusal: the answer is unknown.
        return ProbeResult(Dependency(ok=False, detail=detail), is_late=time.perf_counter() - began >= self._waits)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
