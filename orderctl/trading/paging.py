"""Reads lists, page by page."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from orderd.client.protocol import params_of
from orderd.domain.order import ACTIVE
from orderd.wire.message import Message
from orderd.wire.orders import ListParams, ListResult, OrderView
from orderd.wire.rpc import Method

if TYPE_CHECKING:
    from orderd.client.connection import Client
    from orderd.wire.fills import HistoryResult

PAGE = 500
Page = TypeVar("Page", ListResult, "HistoryResult")


def pages(client: "Client", wanted: ListParams, limit: int | None = None) -> Iterator[ListResult]:
    """Read the orders that match ``wanted``, at least one page. Stops after ``limit`` orders; None reads all."""
    return read_pages(client, Method.ORDERS_LIST, wanted, ListResult, lambda page: len(page.orders), limit)


def read_pages(
    client: "Client",
    method: Method,
    wanted: Message,
    answer: type[Page],
    rows: Callable[[Page], int],
    limit: int | None = None,
) -> Iterator[Page]:
    """Read the pages of any list; ``rows`` counts the rows of a page. Raises what Client.call raises."""
    cursor: str | None = None
    left = limit
    while True:
        size = PAGE if left is None else min(PAGE, left)
        page = client.call(method, wanted.model_copy(update={"limit": size, "cursor": cursor}), answer)
        yield page
        cursor = page.next_cursor
        left = None if left is None else left - rows(page)
        if cursor is None or (left is not None and left <= 0):
            return


def active_orders(client: "Client", account: str | None = None) -> list[OrderView]:
    """All active orders, or those of one account, newest first."""
    wanted = params_of(ListParams, status=tuple(sorted(ACTIVE)), account=account)
    return [order for page in pages(client, wanted) for order in page.orders]
