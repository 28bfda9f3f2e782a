"""The documents show a possible order."""

from orderd.domain.order import OrderStatus, next_status
from orderd.gateway.docs import examples


def test_the_example_order_follows_the_transition_table() -> None:
    status: OrderStatus | None = None
    for event in examples.DETAIL.events:
        status = next_status(status, event.data.kind, event.status)
    assert (examples.DETAIL.order.status, examples.DETAIL.order.seq) == (status, len(examples.DETAIL.events))
