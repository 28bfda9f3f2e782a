"""Reads lists of orders page after page."""

from collections.abc import Iterator

from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.domain.order import ACTIVE
from orderd.wire import ListParams, ListResult, Method, OrderView

PAGE = 500


def pages(client: Client, wanted: ListParams, limit: int | None = None) -> Iterator[ListResult]:
    """The orders that the filters of ``wanted`` let through; one page at least. Stops at ``limit``; None reads all."""
    cursor: str | None = None
    left = limit
    while True:
        size = PAGE if left is None else min(PAGE, left)
        params = wanted.model_copy(update={"limit": size, "cursor": cursor})
        page = client.call(Method.ORDERS_LIST, params, ListResult)
        yield page
        cursor = page.next_cursor
        left = None if left is None else left - len(page.orders)
        if cursor is None or (left is not None and left <= 0):
            return


def active_orders(client: Client, account: str | None = None) -> list[OrderView]:
    """All that have not ended, newest first; of one account, where it is given."""
    wanted = params_of(ListParams, status=tuple(sorted(ACTIVE)), account=account)
    return [order for page in pages(client, wanted) for order in page.orders]
