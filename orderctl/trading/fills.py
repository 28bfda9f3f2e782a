"""Reads fills page after page."""

from orderctl.trading.paging import read_pages
from orderd.client.connection import Client
from orderd.wire.fills import HistoryParams, HistoryResult
from orderd.wire.rpc import Method


def read_fills(client: Client, wanted: HistoryParams, limit: int | None = None) -> HistoryResult:
    """The fills that the filters of ``wanted`` let through, ``limit`` at most, with the sums over all there are."""
    read = list(read_pages(client, Method.HISTORY, wanted, HistoryResult, lambda page: len(page.fills), limit))
    fills = tuple(fill for page in read for fill in page.fills)
    return HistoryResult(fills=fills, totals=read[0].totals, next_cursor=read[-1].next_cursor)
