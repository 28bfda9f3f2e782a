"""The one actor: a message names orders, and they get one turn."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import dramatiq

from orderd.queue.broker import ACTOR, QUEUE, OrderBroker, ids_of
from orderd.telemetry import name_thread

Run = Callable[[Sequence[UUID]], Mapping[UUID, Exception]]


def declare_actor(broker: OrderBroker, run: Run) -> None:
    """Let workers of ``broker`` give the orders that they fetch to ``run``, which returns the errors of those not sent.

    The middleware gets them as the actor's result.
    """

    @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)
    def execute_order(order_ids: list[str] | str) -> Mapping[UUID, Exception]:
        name_thread("turns")
        return run(ids_of(order_ids))
