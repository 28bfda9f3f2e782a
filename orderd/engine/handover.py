"""Work in Redis that answers do not wait for: new orders are published and queued, cancelled ones leave the line.

Redis may hang or refuse. Dispatch, which finds due orders in Postgres, sends an order that did not get into the queue.
"""

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from redis.client import Pipeline

from db import leases
from db.connection import database
from db.journal import Moved
from orderd.best_effort import Outbox, best_effort
from orderd.engine.order_metrics import count
from orderd.engine.publish import Publisher


class SendAfter(Protocol):
    def __call__(self, order_ids: Sequence[UUID], *, after: Callable[[Pipeline], None]) -> None:
        """Put orders in the queue with one round trip, after the commands that ``after`` adds to it."""


class HandOver:
    """``send`` puts orders in the queue, ``forget`` removes an order from the line.

    Events are published before the queue gets the orders, so followers see a new order before a worker can.
    """

    def __init__(self, publisher: Publisher, send: SendAfter, forget: Callable[[UUID], None]) -> None:
        def forget_all(order_ids: Sequence[UUID]) -> None:
            for order_id in order_ids:
                forget(order_id)

        self._publisher = publisher
        self._send = send
        self._accepted = Outbox[Moved | UUID]("enqueue", self._hand_over, _give_back)
        self._cancelled = Outbox[UUID]("forget", forget_all)

    def send(self, order_ids: Sequence[UUID], changes: Sequence[Moved]) -> None:
        """Count and publish the changes, and then queue the orders."""
        count(changes)
        self._accepted.put([*changes, *order_ids])

    def forget(self, order_id: UUID) -> None:
        self._cancelled.put([order_id])

    def close(self, seconds: float) -> None:
        """Finish the pending work within ``seconds``."""
        self._accepted.close(seconds)
        self._cancelled.close(0)

    def _hand_over(self, given: Sequence[Moved | UUID]) -> None:
        changes = [each for each in given if isinstance(each, Moved)]
        order_ids = [each for each in given if isinstance(each, UUID)]

        def publish(pipe: Pipeline) -> None:
            with best_effort("publish"):
                self._publisher.publish_with(changes, pipe)

        if order_ids:
            self._send(order_ids, after=publish)
        else:
            with best_effort("publish"):
                self._publisher.publish_now(changes)


def _give_back(given: Sequence[Moved | UUID]) -> None:
    order_ids = [each for each in given if isinstance(each, UUID)]
    with database.connection_context():
        leases.give_back(order_ids)
