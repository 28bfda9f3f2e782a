"""The one actor: a message names an order, and the order gets one turn."""

from collections.abc import Callable
from uuid import UUID

import dramatiq

from orderd.queue.broker import ACTOR, QUEUE, OrderBroker
from orderd.queue.rate_limit import NotStartedError


def declare_actor(broker: OrderBroker, run: Callable[[UUID], bool]) -> None:
    """Let workers of ``broker`` give each order they fetch to ``run``, which says whether the order was to be had."""

    @dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)
    def execute_order(order_id: str) -> None:
        if not run(UUID(order_id)):
            raise NotStartedError("it is not due, another worker has it, or it has ended")
