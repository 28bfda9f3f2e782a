"""Records refusals: collected, equal ones counted, and written in batches.

Refusals of an API key go to the audit, those of clients without a key to a table of limited size.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Final

from db import audit, refused_requests
from db.audit import CANCEL, NOBODY, SUBMIT, Actor, Entry
from db.connection import transaction
from db.refused_requests import Refusal
from orderd.best_effort import best_effort, failed
from orderd.domain.errors import OrderdError
from orderd.gateway.threads import DatabaseThreads

WRITE_SECONDS: Final = 1.0
MAX_KEPT: Final = 1_000
"""Different refusals that are kept until the next write; of a flood the others are only counted."""
_READS: Final = ("GET ", "HEAD ", "OPTIONS ")
_DETAIL: Final = 300


class Refusals:
    """Collects refusals. Only its loop waits for the database, so refusals do not delay requests."""

    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._noted: Counter[Entry] = Counter()

    def note(self, by: Actor, action: str, error: OrderdError) -> None:
        """Collect a refusal, if it concerns permission or limits, or an action that would have changed an order."""
        with best_effort("audit"):
            self._note(by, action, error)

    def _note(self, by: Actor, action: str, error: OrderdError) -> None:
        changes = action in (SUBMIT, CANCEL) or (" " in action and not action.startswith(_READS))
        if not changes and not error.code.startswith(("AUTH_", "LIMIT_")):
            return
        detail = "" if _is_stranger(by) else _storable(error.detail)[:_DETAIL]
        entry = Entry(by, action[:80], error.code, detail=detail)
        if entry not in self._noted and len(self._noted) >= MAX_KEPT:
            entry = Entry(NOBODY if _is_stranger(by) else by, "many", error.code)
        self._noted[entry] += 1

    async def run(self) -> None:
        """Write the refusals, until the task is cancelled."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write the collected refusals. Those that cannot be written stay for the next time."""
        if not self._noted:
            return
        noted, self._noted = self._noted, Counter()
        try:
            await self._database.run(_write, noted)
        except Exception as error:  # noqa: BLE001  (a failed write of refusals must not end anything)
            failed("audit", error)
            if not self._noted:
                self._noted = noted


@transaction
def _write(noted: Counter[Entry]) -> None:
    """Write in one transaction, so that nothing is written twice after a partial failure."""
    strangers: Counter[Refusal] = Counter()
    keyed: list[Entry] = []
    for entry, times in noted.items():
        if _is_stranger(entry.by):
            strangers[Refusal(entry.by.address, entry.action, entry.outcome)] += times
        else:
            keyed.append(replace(entry, times=times))
    audit.record(keyed)
    refused_requests.count(strangers)


def _is_stranger(by: Actor) -> bool:
    return by.name == ""


def _storable(text: str) -> str:
    """The text without characters that Postgres does not store: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()
