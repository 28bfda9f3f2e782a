"""Limits the requests of an API key: a number per minute, with bursts.

Rate limiters from libraries keep a list of times per key, or ask a server. This one needs one number and one
comparison per request.
"""

import math
import time
from collections.abc import Callable
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError

_MINUTE: Final = 60.0


class Bucket:
    """A token bucket, kept as the one time at which it will be full again (GCRA, ITU-T I.371)."""

    def __init__(self, per_minute: int, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` in seconds."""
        self._per_minute = per_minute
        self._interval = _MINUTE / per_minute
        self._depth = burst * self._interval
        self._clock = clock
        self._full_at = clock()

    def take(self) -> None:
        """Count one request, or refuse it: OrderdError LIMIT_REQUESTS, with the time until the next."""
        now = self._clock()
        full_at = max(self._full_at, now) + self._interval
        over = full_at - now - self._depth
        if over > self._interval * 1e-9:  # a rounding error of the clock is not a request
            raise OrderdError(
                ErrorCode.LIMIT_REQUESTS,
                f"the API key may make {self._per_minute} requests per minute",
                retry_after=math.ceil(over),
            )
        self._full_at = full_at
