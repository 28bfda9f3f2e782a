"""When a failed attempt is tried again, and how often an unavailable service is checked."""

from dataclasses import dataclass
from typing import Final

from orderd.domain.errors import ERRORS, Consequence, ErrorCode

_MAX_CHECK_DELAY_MS: Final = 5_000
"""Maximum time from the return of a service until a waiting order checks it."""


_OF_THE_MOMENT: Final = frozenset({"ROUTE", "POOL", "TX", "RPC", "SERVICE"})


def may_pass(code: ErrorCode) -> bool:
    """Whether the error may pass with time: the market and the chain change, but missing funds do not return by
    themselves."""
    return code.category in _OF_THE_MOMENT


@dataclass(slots=True)
class RetryPolicy:
    """``max_attempts`` in all; the n-th wait is ``base_ms * 2**(n-1)`` up to ``cap_ms``, less a random part.

    ``slot_ms`` is the chain's slot time: before the next slot nothing new can be seen. It is updated when the slot time
    changes.
    """

    max_attempts: int = 3
    base_ms: int = 1_000
    cap_ms: int = 30_000
    slot_ms: int = 400

    def retry_delay_ms(self, code: ErrorCode, failures: int, jitter: float) -> int | None:
        """Milliseconds until the next attempt; None if the order fails.

        ``failures`` includes this one, if its code counts. ``jitter`` in [0, 1] shortens the wait by up to half, so
        that orders that failed together do not retry together.
        """
        if ERRORS[code].consequence is Consequence.ENDS or failures >= self.max_attempts:
            return None
        return self.backoff_ms(failures, jitter)

    def backoff_ms(self, failures: int, jitter: float) -> int:
        """Milliseconds until the next attempt, after this many failures, without a maximum number."""
        doublings = min(max(failures - 1, 0), self.cap_ms.bit_length())
        return _less(min(self.base_ms << doublings, self.cap_ms), jitter)

    def check_delay_ms(self, waited_ms: int, jitter: float) -> int:
        """Milliseconds until an order that has waited this long checks again whether it can go on.

        A quarter of the wait, so that an order with a long wait checks seldom; at least the first wait of an attempt.
        """
        return _less(min(max(waited_ms // 4, self.base_ms), _MAX_CHECK_DELAY_MS), jitter)


def _less(full_ms: int, jitter: float) -> int:
    return full_ms - int(full_ms * jitter / 2)
