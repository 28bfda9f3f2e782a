"""Refusals are written down when they can be: the audit of what changes nothing stops nothing."""

import asyncio
from collections import Counter
from collections.abc import Callable
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
        self.rows: Counter[Entry] = Counter()

    async def run(self, write: Callable[[Counter[Entry]], None], rows: Counter[Entry]) -> None:
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
    assert [(row.by, row.action, row.outcome, times) for row, times in database.rows.items()] == [
        (DESK, "order.submit", ErrorCode.LIMIT_DAY, 3)
    ]
    asyncio.run(refusals.write())
    assert len(database.rows) == 1, "once is enough"


def test_of_a_stranger_nothing_is_kept_that_he_has_written() -> None:
    database = Database()
    database.away = False
    log = Refusals(cast(DatabaseThreads, database))
    for name in range(5_000):
        log.note(Actor("", "10.0.0.9"), "connect", OrderdError(ErrorCode.AUTH_ORIGIN_REFUSED, f"no page {name}"))
    asyncio.run(log.write())
    assert [(row.by.address, row.action, row.detail, times) for row, times in database.rows.items()] == [
        ("10.0.0.9", "connect", "", 5_000)
    ]
