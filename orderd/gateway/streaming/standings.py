"""Where orders stand as somebody begins to follow them, read once for all who come together.

Without that, thousands who come again after a restart would each read all active orders.
"""

import asyncio
from collections.abc import Sequence

from orderd.gateway.streaming import history
from orderd.gateway.streaming.history import Standing
from orderd.gateway.streaming.selection import Group, Selection
from orderd.gateway.threads import DatabaseThreads

_Read = asyncio.Task[Sequence[Standing]]
_Key = tuple[Group, bool]


class Standings:
    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._under_way: dict[_Key, _Read] = {}
        self._to_come: dict[_Key, _Read] = {}

    async def read(self, selection: Selection) -> Sequence[Standing]:
        """By a read that begins after this call. Raises OrderdError."""
        if selection.group is None:
            return await self._database.run(history.standings, selection)
        key = (selection.group, selection.from_beginning)
        read = self._to_come.get(key)
        if read is None:
            read = self._to_come[key] = asyncio.create_task(self._read(key, selection))
            read.add_done_callback(_note_outcome)
        return await asyncio.shield(read)

    async def _read(self, key: _Key, selection: Selection) -> Sequence[Standing]:
        if (earlier := self._under_way.get(key)) is not None:
            await asyncio.wait([earlier])
        self._under_way[key] = self._to_come.pop(key)
        try:
            return await self._database.run(history.standings, selection)
        finally:
            del self._under_way[key]


def _note_outcome(read: _Read) -> None:
    """A failure is told to those who wait; there may be none left."""
    if not read.cancelled():
        read.exception()
