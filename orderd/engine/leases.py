"""The orders that this process holds, and the renewal of their leases.

Other orders are not renewed: an order that was dropped by any error is available again when its lease ends.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from db import leases
from db.connection import database


class Leases:
    """The holdings of one worker process, ``owner``. Thread-safe; ``seconds`` is how long a lease lasts unrenewed."""

    def __init__(self, owner: str, seconds: float) -> None:
        self.owner = owner
        self.seconds = seconds
        # An order is held by its turn and, before that ends, also by settlement: both must release it.
        self._held: Counter[UUID] = Counter()
        self._lock = threading.Lock()

    def hold(self, order_id: UUID) -> None:
        with self._lock:
            self._held[order_id] += 1

    def release(self, order_id: UUID) -> None:
        with self._lock:
            self._held[order_id] -= 1
            if self._held[order_id] <= 0:
                del self._held[order_id]

    @contextmanager
    def holding(self, order_ids: Sequence[UUID]) -> Iterator[None]:
        for order_id in order_ids:
            self.hold(order_id)
        try:
            yield
        finally:
            for order_id in order_ids:
                self.release(order_id)

    def renew_once(self) -> int:
        """Renew all leases with one statement. Returns how many this process still has."""
        with self._lock:
            held = list(self._held)
        if not held:
            return 0
        with database.connection_context():
            return leases.renew(self.owner, held, self.seconds)
