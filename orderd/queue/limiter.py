"""Limits the starts of orders per sliding window, over the whole cluster, first come first served.

One Lua script decides, by Redis' own clock. An order that may not start gets an estimated slot for its place in the
line, and keeps this place, which is its age. Orders that leave the market go before all others, once dispatch has
marked them. If starts become free earlier, because other orders were cancelled or the limit was raised, dispatch wakes
the first in line. Waiting is not an attempt.

Own code, because the limiters of libraries (Dramatiq's, pyrate-limiter) refuse or block what exceeds the limit; none
keeps a line across processes with an estimated slot for each order.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import redis
import structlog

from db.leases import InLine
from orderd.engine.clock import elapsed_seconds
from orderd.engine.one_way import Command
from orderd.queue.clock import ANY_TIME, RedisClock

_PREFIX: Final = "orderd:rate"
_READY, _OPENING, _STARTS, _LINE, _PATIENCE = (
    f"{_PREFIX}:{name}" for name in ("ready", "opening", "starts", "line", "patience")
)
_ASK: Final = Path(__file__).with_suffix(".lua").read_text()

# KEYS ready opening starts, ARGV epoch, then age and order in turn. Void if Redis was emptied since the epoch began.
_SEED: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('GET', KEYS[2]) ~= ARGV[1] then return end
redis.call('DEL', KEYS[2], KEYS[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
for i = 2, #ARGV, 2 do
    local time = string.format('%.0f', now - ARGV[i])
    redis.call('ZADD', KEYS[3], time, ARGV[i + 1] .. ':' .. time)
end
redis.call('SET', KEYS[1], 1)
"""

# KEYS line patience, ARGV grace, then orders.
_ENTER: Final = """
local clock = redis.call('TIME')
local patience = string.format('%.0f', clock[1] * 1000000 + clock[2] + ARGV[1])
for i = 2, #ARGV do
    if not redis.call('ZSCORE', KEYS[1], '!' .. ARGV[i]) then
        redis.call('ZADD', KEYS[1], 0, ARGV[i])
        redis.call('ZADD', KEYS[2], patience, ARGV[i])
    end
end
"""

# KEYS line patience starts, ARGV grace, window, then names in the line. Postgres may not know of the newest starts.
_FREE: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function text(time) return string.format('%.0f', time) end
local started = {}
for _, start in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], text(now - ARGV[1]), '+inf')) do
    started[string.match(start, '^[^:]+')] = true
end
for i = 3, #ARGV do
    local order = string.gsub(ARGV[i], '^!', '')
    if not started[order] then
        local patience = now + ARGV[1]
        if order ~= ARGV[i] then
            patience = math.max(patience, tonumber(redis.call('ZSCORE', KEYS[2], order) or 0))
            redis.call('ZREM', KEYS[1], order)
            redis.call('ZREM', KEYS[2], order)
        end
        redis.call('ZADD', KEYS[1], 0, ARGV[i])
        redis.call('ZADD', KEYS[2], 'GT', text(patience), ARGV[i])
    end
end
return redis.call('ZCOUNT', KEYS[3], '(' .. text(now - ARGV[2]), '+inf')
"""

# KEYS starts patience, ARGV window.
_USE: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function after(time) return '(' .. string.format('%.0f', time) end
return {redis.call('ZCOUNT', KEYS[1], after(now - ARGV[1]), '+inf'), redis.call('ZCOUNT', KEYS[2], after(now), '+inf')}
"""

_MAX_STARTS: Final = 500
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Go:
    """The order starts now. ``start`` names this start, for taking it back."""

    start: str


@dataclass(frozen=True, slots=True)
class StartSlot:
    """The order's turn comes in ``wait``, measured by Redis' clock alone."""

    wait: timedelta


class RateLimiter:
    """``limit`` starts in any ``window``; 0 switches it off. Safe to share between threads.

    A start counts from the time when it is granted. Postgres journals it up to ``lag`` later, so the window is longer
    by ``lag``, and the journal's times keep the limit too. ``grace`` is the time that the line waits for an order that
    does not take its slot.

    Redis may be emptied, or lose its last second in a crash. Both are noticed (an empty script cache means a restart),
    and the starts of the last window are read from Postgres with ``recent_starts``, which gets the window in seconds
    and returns how long ago each was: the clocks of the two hosts need not agree.
    """

    def __init__(
        self,
        client: "redis.Redis",
        limit: int,
        window: timedelta,
        recent_starts: Callable[[float], Sequence[tuple[UUID, timedelta]]],
        *,
        lag: timedelta = timedelta(milliseconds=250),
        grace: timedelta = timedelta(seconds=5),
        elapsed: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._redis = client
        self.limit = limit
        """May be changed at any time: it holds from the next start on."""
        self._window = window + lag
        self._recent_starts = recent_starts
        self._lag = lag
        self._grace = grace
        self._sha: str = client.register_script(_ASK).sha
        self._clock = RedisClock(client, _OPENING, (_STARTS, _PATIENCE), elapsed=elapsed)

    def ask(self, order_id: UUID) -> Go | StartSlot:
        """Take a start, or a place in the line. Raises redis.RedisError, and what ``recent_starts`` raises."""
        if not self.limit:
            return Go("")
        verdict, value = self._decide(str(order_id))
        return Go(value) if verdict == "go" else StartSlot(timedelta(microseconds=int(value)))

    def prepare(self, *, wait: bool = False) -> None:
        """Send Redis the starts of the last window if it has lost them, before an order has to wait for that.

        Called regularly. After Redis was emptied, ``lag`` must pass between two calls, or within one call with
        ``wait``. Checks Redis' clock too. Raises the errors of ``ask``.
        """
        self._clock.check()
        if self.limit and self._decide("")[0] == "slot" and wait:
            time.sleep(self._lag.total_seconds())
            self._decide("")

    def _decide(self, order_id: str) -> tuple[str, str]:
        within = self._clock.bounds
        while True:
            verdict, value = self._run_script(order_id, within)
            if verdict == "set":
                self._clock.check()
                within = ANY_TIME  # whatever it finds: a changed clock must not delay orders
            elif verdict == "unseeded":
                self._seed(epoch=value)
            else:
                return verdict, value

    def _run_script(self, order_id: str, within: tuple[int, int]) -> tuple[str, str]:
        arguments: list[Any] = [5, _READY, _OPENING, _STARTS, _LINE, _PATIENCE]
        arguments += [order_id, self.limit, *map(_microseconds, (self._window, self._grace, self._lag)), *within]
        try:
            answer = self._redis.evalsha(self._sha, *arguments)
        except redis.exceptions.NoScriptError:
            # After a restart, the server's file may lack the last starts, so its content cannot be trusted.
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(_READY, _OPENING)
                pipe.execute_command("SCRIPT LOAD", _ASK)  # type: ignore[no-untyped-call]
                pipe.execute()
            answer = self._redis.evalsha(self._sha, *arguments)
        verdict, value = answer
        return verdict.decode(), value.decode()

    def _seed(self, epoch: str) -> None:
        """Send Redis the starts of the last window. If several processes do it at once, the first one counts."""
        starts = self._recent_starts(self._window.total_seconds())
        pairs: list[str | int] = []
        for order_id, age in starts:
            pairs += [_microseconds(age), str(order_id)]
        self._redis.eval(_SEED, 3, _READY, _OPENING, _STARTS, epoch, *pairs)
        log.info("rate limit reads its window from the journal", action="rate_limit_seeded", starts=len(starts))

    def entering(self, order_ids: Sequence[UUID]) -> list[Command]:
        """The commands that give orders their places, before any of them asks."""
        if not self.limit:
            return []
        return [("EVAL", _ENTER, 2, _LINE, _PATIENCE, _microseconds(self._grace), *map(str, order_ids))]

    @property
    def most(self) -> int:
        """Maximum number of starts that can be free at one time."""
        return min(self.limit, _MAX_STARTS) if self.limit else _MAX_STARTS

    def free(self, first: Sequence[InLine]) -> int:
        """Number of free starts. Ensures that the orders ``first`` in line get them before others.

        Raises redis.RedisError.
        """
        if not self.limit:
            return len(first)
        durations = map(_microseconds, (self._grace, self._window))
        names = [f"{'!' if each.goes_first else ''}{each.order_id}" for each in first]
        used = self._redis.eval(_FREE, 3, _LINE, _PATIENCE, _STARTS, *durations, *names)
        return max(self.limit - int(used), 0)

    def release(self, go: Go) -> None:
        """Take back a start that did not happen. Raises redis.RedisError."""
        if self.limit:
            self._redis.zrem(_STARTS, go.start)

    def forget(self, order_id: UUID) -> None:
        """The order no longer waits. If Redis is unavailable, the line continues without the order after the grace."""
        if not self.limit:
            return
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.zrem(_LINE, str(order_id), f"!{order_id}")
                pipe.zrem(_PATIENCE, str(order_id), f"!{order_id}")
                pipe.execute()
        except redis.RedisError as error:
            log.warning("rate limit unreachable", action="forget_failed", order_id=str(order_id), error=str(error))

    def use(self) -> tuple[int, int]:
        """Starts in the current window, and orders that wait. Raises redis.RedisError."""
        used, waiting = self._redis.eval(_USE, 2, _STARTS, _PATIENCE, _microseconds(self._window))
        return int(used), int(waiting)


def _microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
