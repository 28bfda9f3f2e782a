"""The state of orders when clients begin to follow them, read page by page, once for all clients at the same page.

Without that, thousands of clients that reconnect after a restart would each read all active orders.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from orderd.domain.errors import OrderdError
from orderd.gateway.streaming import history
from orderd.gateway.streaming.active_orders import ActiveOrders
from orderd.gateway.streaming.history import OrderSnapshot
from orderd.gateway.streaming.selection import Group, Selection
from orderd.gateway.threads import DatabaseThreads

RETRY_SECONDS: Final = 0.5
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the snapshots for a follower: all active orders up to the number ``upto``.

    ``numbers`` are those of all orders that were read. Those without a snapshot have ended meanwhile, or do not match.
    """

    snapshots: Sequence[OrderSnapshot]
    numbers: Mapping[UUID, int]
    upto: int


_Read = asyncio.Task[Page]
_Key = tuple[Group, bool, int]


class Snapshots:
    def __init__(self, database: DatabaseThreads, active: ActiveOrders) -> None:
        self._database = database
        self._active_orders = active
        self._under_way: dict[_Key, _Read] = {}
        self._to_come: dict[_Key, _Read] = {}

    async def pages(self, selection: Selection, upto: int) -> AsyncIterator[Page]:
        """All pages up to this number, each read on demand; one page if orders are named."""
        after = 0
        while True:
            try:
                page = await self.read(selection, after)
            except OrderdError as error:
                log.warning("snapshot waits", action="snapshot_waits", error=error.detail)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            yield page
            after = page.upto
            if selection.orders or after >= upto:
                return

    async def read(self, selection: Selection, after: int) -> Page:
        """The page after this number, by a read that begins after this call. Raises OrderdError."""
        if selection.group is None:
            return Page(await self._database.run(history.snapshots, selection), {}, 0)
        key = (selection.group, selection.from_beginning, after)
        read = self._to_come.get(key)
        if read is None:
            read = self._to_come[key] = asyncio.create_task(self._read(key, selection, after))
            read.add_done_callback(_note_outcome)
        return await asyncio.shield(read)

    async def _read(self, key: _Key, selection: Selection, after: int) -> Page:
        if (earlier := self._under_way.get(key)) is not None:
            await asyncio.wait([earlier])
        self._under_way[key] = self._to_come.pop(key)
        try:
            numbers, upto = self._active_orders.page(after)
            snapshots = await self._database.run(history.snapshots, selection, list(numbers)) if numbers else ()
            return Page(snapshots, numbers, upto)
        finally:
            del self._under_way[key]


def _note_outcome(read: _Read) -> None:
    """A failure is passed to the waiting followers; there may be none left."""
    if not read.cancelled():
        read.exception()
