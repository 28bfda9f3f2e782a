"""Orders that cannot start now wait in Postgres; where even that fails, dispatch finds them again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

import structlog

PAUSE: Final = timedelta(seconds=1)
"""How long an order waits if it is not known when it can start."""
Reason = TypeVar("Reason")
log = structlog.get_logger(__name__)


def defer_or_miss(
    defer: Callable[[UUID, timedelta, Reason], object],
    missed: Callable[[UUID], object],
    order_id: UUID,
    reason: Reason,
) -> None:
    """Defer the order by a ``PAUSE``. Never raises: an order that cannot be deferred is reported to ``missed``."""
    try:
        defer(order_id, PAUSE, reason)
    except Exception:
        log.exception("order not deferred", action="defer_failed", order_id=str(order_id))
        missed(order_id)
