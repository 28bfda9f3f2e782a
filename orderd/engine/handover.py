"""What an answer does not wait for: an accepted order goes into the queue, a cancelled one out of the line.

Both lie in Redis, which may hang or refuse. An order that did not get into the queue is free to be taken by dispatch,
which looks in Postgres for what is due.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from db import leases
from db.connection import database
from orderd.best_effort import Outbox


class HandOver:
    """Two threads of its own. ``send`` puts orders in the queue, ``forget`` says that one no longer waits."""

    def __init__(self, send: Callable[[Sequence[UUID]], None], forget: Callable[[UUID], None]) -> None:
        def forget_all(order_ids: Sequence[UUID]) -> None:
            for order_id in order_ids:
                forget(order_id)

        self._orders = Outbox[UUID]("enqueue", send, _give_back)
        self._cancelled = Outbox[UUID]("forget", forget_all)

    def send(self, order_ids: Sequence[UUID]) -> None:
        self._orders.put(order_ids)

    def forget(self, order_id: UUID) -> None:
        self._cancelled.put([order_id])

    def close(self, seconds: float) -> None:
        """Hand over what was given so far, as far as that takes no longer than ``seconds``."""
        self._orders.close(seconds)
        self._cancelled.close(0)


def _give_back(order_ids: Sequence[UUID]) -> None:
    with database.connection_context():
        leases.give_back(order_ids)
