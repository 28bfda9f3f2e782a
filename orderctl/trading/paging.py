"""Reads lists of orders page after page."""

from collections.abc import Iterator, Sequence

from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.domain.order import ACTIVE, OrderStatus
from orderd.wire import ListParams, ListResult, Method, OrderView

PAGE = 500


def pages(
    client: Client, status: Sequence[OrderStatus] = (), token: str | None = None, limit: int | None = None
) -> Iterator[ListResult]:
    """One page at least. Stops at ``limit`` orders; None reads all."""
    cursor: str | None = None
    left = limit
    while True:
        size = PAGE if left is None else min(PAGE, left)
        params = params_of(ListParams, status=status, token=token, limit=size, cursor=cursor)
        page = client.call(Method.ORDERS_LIST, params, ListResult)
        yield page
        cursor = page.next_cursor
        left = None if left is None else left - len(page.orders)
        if cursor is None or (left is not None and left <= 0):
            return


def active_orders(client: Client) -> list[OrderView]:
    """All that have not ended, newest first."""
    return [order for page in pages(client, sorted(ACTIVE)) for order in page.orders]
