"""Refusals are recorded when possible; a failure to record them stops nothing."""

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
    """Unavailable until configured otherwise; records what it is given then."""

    def __init__(self) -> None:
        self.away = True
        self.rows: Counter[Entry] = Counter()

    async def run(self, write: Callable[[Counter[Entry]], None], rows: Counter[Entry]) -> None:
        if self.away:
            raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, "Postgres does not answer")
        self.rows += rows


def test_refusals_that_cannot_be_stored_are_stored_later() -> None:
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
    assert len(database.rows) == 1, "a refusal was stored twice"


def test_no_text_of_a_client_without_a_key_is_stored() -> None:
    database = Database()
    database.away = False
    log = Refusals(cast(DatabaseThreads, database))
    for name in range(5_000):
        log.note(Actor("", "10.0.0.9"), "connect", OrderdError(ErrorCode.AUTH_ORIGIN_REFUSED, f"no page {name}"))
    asyncio.run(log.write())
    assert [(row.by.address, row.action, row.detail, times) for row, times in database.rows.items()] == [
        ("10.0.0.9", "connect", "", 5_000)
    ]
