"""Reads fills, page by page."""

from typing import TYPE_CHECKING

from orderctl.trading.paging import read_pages
from orderd.wire.fills import HistoryParams, HistoryResult
from orderd.wire.rpc import Method

if TYPE_CHECKING:
    from orderd.client.connection import Client


def read_fills(client: "Client", wanted: HistoryParams, limit: int | None = None) -> HistoryResult:
    """Read up to ``limit`` fills that match ``wanted``, and the totals of all that match."""
    read = list(read_pages(client, Method.HISTORY, wanted, HistoryResult, lambda page: len(page.fills), limit))
    fills = tuple(fill for page in read for fill in page.fills)
    return HistoryResult(fills=fills, totals=read[0].totals, next_cursor=read[-1].next_cursor)
