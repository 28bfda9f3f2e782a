"""Orders that cannot start now wait in Postgres; where even that fails, dispatch finds them again."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

import structlog

PAUSE: Final = timedelta(seconds=1)
"""How long an order waits if it is not known when it can start."""
Reason = TypeVar("Reason")
log = structlog.get_logger(__name__)


def defer_or_miss(
    defer: Callable[[Mapping[UUID, timedelta], Reason], object],
    missed: Callable[[UUID], object],
    order_ids: Sequence[UUID],
    reason: Reason,
) -> None:
    """Defer orders by a ``PAUSE``. Never raises: orders that cannot be deferred are reported to ``missed``."""
    try:
        defer(dict.fromkeys(order_ids, PAUSE), reason)
    except Exception:
        log.exception("orders not deferred", action="defer_failed", order_ids=[*map(str, order_ids)])
        for order_id in order_ids:
            missed(order_id)
