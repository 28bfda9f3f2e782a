"""When a failed attempt is tried again, and after how long."""

from dataclasses import dataclass

from orderd.domain.errors import ERRORS, ErrorCode


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``max_attempts`` in all; the n-th wait is ``base_ms * 2**(n-1)`` up to ``cap_ms``, less a random part."""

    max_attempts: int = 3
    base_ms: int = 1_000
    cap_ms: int = 30_000

    def retry_delay_ms(self, code: ErrorCode, failures: int, jitter: float) -> int | None:
        """Milliseconds until the next attempt, or None when the order has failed for good.

        ``failures`` counts this failure too. ``jitter`` in [0, 1] takes up to half of the wait away, so that orders
        which failed together do not return together.
        """
        if not ERRORS[code].retryable or failures >= self.max_attempts:
            return None
        full = min(self.base_ms << (failures - 1), self.cap_ms)
        return full - int(full * jitter / 2)
