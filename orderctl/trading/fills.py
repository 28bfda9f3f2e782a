"""Reads fills page after page."""

from orderd.client.connection import Client
from orderd.records import HistoryFill, HistoryParams, HistoryResult
from orderd.wire import Method

PAGE = 500


def read_fills(client: Client, wanted: HistoryParams, limit: int | None = None) -> HistoryResult:
    """The fills that the filters of ``wanted`` let through, ``limit`` at most, with the sums over all there are."""
    fills: list[HistoryFill] = []
    first: HistoryResult | None = None
    cursor: str | None = None
    while True:
        size = PAGE if limit is None else min(PAGE, limit - len(fills))
        params = wanted.model_copy(update={"limit": size, "cursor": cursor})
        page = client.call(Method.HISTORY, params, HistoryResult)
        first = first or page
        fills += page.fills
        cursor = page.next_cursor
        if cursor is None or len(fills) == limit:
            return HistoryResult(fills=tuple(fills), totals=first.totals, next_cursor=cursor)
