"""The documents show an order that could be."""

from orderd.domain.order import OrderStatus, next_status
from orderd.gateway.docs import examples


def test_the_order_of_the_examples_goes_the_way_of_the_table() -> None:
    status: OrderStatus | None = None
    for event in examples.DETAIL.events:
        status = next_status(status, event.data.kind, event.status)
    assert (examples.DETAIL.order.status, examples.DETAIL.order.seq) == (status, len(examples.DETAIL.events))
