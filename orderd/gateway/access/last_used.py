"""Records the last use of API keys: collected and written in batches, so that no answer waits for it."""

import asyncio
from typing import Final
from uuid import UUID

from orderd.best_effort import best_effort
from orderd.gateway.access.authentication import note_use
from orderd.gateway.threads import DatabaseThreads

WRITE_SECONDS: Final = 1.0


class LastUsed:
    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._noted: set[UUID] = set()

    def note(self, key_id: UUID) -> None:
        self._noted.add(key_id)

    async def run(self) -> None:
        """Write the times, until the task is cancelled."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write the collected uses. A use that cannot be written is recorded again at the key's next use."""
        if not self._noted:
            return
        noted, self._noted = self._noted, set()
        with best_effort("last_used"):
            await self._database.run(note_use, noted)
