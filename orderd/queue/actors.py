"""The one actor: a message names orders, and they get one turn."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import dramatiq

from orderd.queue.broker import ACTOR, QUEUE, OrderBroker, ids_of
from orderd.telemetry import name_thread

Run = Callable[[Sequence[UUID]], Mapping[UUID, Exception]]


def declare_actor(broker: OrderBroker, run: Run) -> None:
    """Declare the actor by which workers of ``broker`` pass orders to ``run``. ``run`` returns the errors of orders
    that were not sent.

    The middleware gets them as the actor's result.
    """

    @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)
    def execute_order(order_ids: list[str] | str) -> Mapping[UUID, Exception]:
        name_thread("turns")
        return run(ids_of(order_ids))
