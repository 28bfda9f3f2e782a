"""Refusals are written down when they can be: the audit of what changes nothing stops nothing."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from db.audit import Actor, Entry
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.refusal_log import Refusals
from orderd.gateway.threads import DatabaseThreads

DESK = Actor("desk")


class Database:
    """Is away until it is told otherwise, and keeps what it is given then."""

    def __init__(self) -> None:
        self.away = True
        self.rows: list[Entry] = []

    async def run(self, record: Callable[[Sequence[Entry]], None], rows: Sequence[Entry]) -> None:
        if self.away:
            raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, "Postgres does not answer")
        self.rows += rows


def test_what_cannot_be_written_ends_nothing_and_is_written_the_next_time() -> None:
    database = Database()
    refusals = Refusals(cast(DatabaseThreads, database))
    for _ in range(3):
        refusals.note(DESK, "order.submit", OrderdError(ErrorCode.LIMIT_DAY, "too much"))
    asyncio.run(refusals.write())
    database.away = False
    asyncio.run(refusals.write())
    assert [(row.by, row.action, row.outcome, row.times) for row in database.rows] == [
        (DESK, "order.submit", ErrorCode.LIMIT_DAY, 3)
    ]
    asyncio.run(refusals.write())
    assert len(database.rows) == 1, "once is enough"
