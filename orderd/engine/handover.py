"""Work in Redis that answers do not wait for: new orders are published and queued, cancelled ones leave the line.

Redis may hang or refuse. Dispatch, which finds due orders in Postgres, sends an order that did not get into the queue.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

import redis

from db import leases
from db.connection import database
from db.journal import Moved
from orderd.best_effort import Outbox, best_effort
from orderd.engine.one_way import Command, OneWay
from orderd.engine.order_metrics import count
from orderd.engine.publish import MOST_AT_ONCE, Publisher


class HandOver:
    """``sending`` returns the commands that put orders in the queue, ``forget`` removes an order from the line.

    Events are published before the queue gets the orders, so followers see a new order before a worker can. The thread
    that stored a few orders sends the commands itself, as with ``Publisher``. If Redis refuses these, which is seen
    with the next ones, dispatch sends the orders.
    """

    def __init__(
        self,
        publisher: Publisher,
        client: "redis.Redis",
        sending: Callable[[Sequence[UUID]], Sequence[Command]],
        forget: Callable[[UUID], None],
    ) -> None:
        def forget_all(order_ids: Sequence[UUID]) -> None:
            for order_id in order_ids:
                forget(order_id)

        self._publisher = publisher
        self._redis = OneWay("enqueue", client)
        self._sending = sending
        self._accepted = Outbox[Moved | UUID]("enqueue", self._hand_over, _give_back, at_once=self._try_to_hand_over)
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
        self._redis.close()

    def _hand_over(self, given: Sequence[Moved | UUID]) -> None:
        self._redis.send(self._commands(given))

    def _try_to_hand_over(self, given: Sequence[Moved | UUID]) -> bool:
        return len(given) <= MOST_AT_ONCE and self._redis.try_to_send(lambda: self._commands(given))

    def _commands(self, given: Sequence[Moved | UUID]) -> list[Command]:
        commands: list[Command] = []
        with best_effort("publish"):
            commands += self._publisher.commands([each for each in given if isinstance(each, Moved)])
        if order_ids := [each for each in given if isinstance(each, UUID)]:
            commands += self._sending(order_ids)
        return commands


def _give_back(given: Sequence[Moved | UUID]) -> None:
    order_ids = [each for each in given if isinstance(each, UUID)]
    with database.connection_context():
        leases.give_back(order_ids)
