"""Filters orders by words."""

from collections.abc import Callable

from orderctl.display.cells import sold, state
from orderctl.display.resting import prices
from orderd.wire.orders import OrderView


def matches(order: OrderView, words: tuple[str, ...]) -> bool:
    """Whether each word, in lower case, is contained in one of the order's texts."""
    if not words:
        return True
    names = (
        str(order.id),
        order.client_order_id,
        order.account or "",
        state(order)[0],
        order.token_in,
        order.token_out,
        sold(order),
        order.kind,
        prices(order) or "",
    )
    text = "\n".join((*names, order.venue or "", order.error.code if order.error else "")).lower()
    return all(word in text for word in words)


def wanted(words: tuple[str, ...], is_among: Callable[[OrderView], bool] | None) -> Callable[[OrderView], bool] | None:
    """A filter for orders that contain all ``words`` and satisfy ``is_among``; None if all orders match."""
    if not words:
        return is_among
    return lambda order: (is_among is None or is_among(order)) and matches(order, words)
