"""Refusals of clients without a key are counted in a table whose size such clients cannot control."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db import audit
from db import refused_requests as refusals
from db.audit import Actor, Entry, Filter
from db.connection import database
from db.refused_requests import KEPT_DAYS, ROWS_AN_HOUR, Refusal
from orderd.gateway.access import refusal_log

pytestmark = pytest.mark.usefixtures("connection")

KNOCK = Refusal("10.0.0.9", "connect", "AUTH_REQUIRED")


def counts(found: Iterable[refusals.RefusalCount]) -> dict[Refusal, int]:
    return {each.refusal: each.times for each in found}


def rows() -> int:
    return int(database.execute_sql("SELECT count(*) FROM refusals").fetchone()[0])


def test_equal_refusals_of_an_hour_are_one_row() -> None:
    for _ in range(3):
        refusals.count(Counter({KNOCK: 1_000}))
    (counted,) = refusals.read(10)
    assert (counted.refusal, counted.times) == (KNOCK, 3_000)
    assert datetime.now(UTC) - counted.last_at < timedelta(minutes=1)


def test_the_rows_per_hour_are_limited_for_any_number_of_addresses() -> None:
    refusals.count(Counter({Refusal(f"10.0.{n // 256}.{n % 256}", "connect", "AUTH_REQUIRED"): 1 for n in range(700)}))
    refusals.count(Counter({Refusal(f"10.1.{n // 256}.{n % 256}", "connect", "AUTH_INVALID"): 2 for n in range(700)}))
    refusals.count(Counter({Refusal("10.0.0.0", "connect", "AUTH_REQUIRED"): 5}))
    assert rows() == ROWS_AN_HOUR + 2, "plus one row per outcome for all other addresses"
    found = counts(refusals.read(1_000))
    assert found[Refusal("", "many", "AUTH_REQUIRED")] == 200
    assert found[Refusal("", "many", "AUTH_INVALID")] == 1_400
    assert found[Refusal("10.0.0.0", "connect", "AUTH_REQUIRED")] == 6, "an address with a row lost it"
    assert sum(found.values()) == 700 + 1_400 + 5, "a refusal was not counted"


def test_old_rows_are_deleted_when_an_hour_begins() -> None:
    refusals.count(Counter({KNOCK: 1}))
    for days, address in ((KEPT_DAYS + 1, "old"), (KEPT_DAYS - 1, "recent")):
        database.execute_sql(
            "UPDATE refusals SET hour = hour - %s * interval '1 day', address = %s WHERE address = %s",
            (days, address, KNOCK.address),
        )
        refusals.count(Counter({KNOCK: 1}))
    assert {each.refusal.address for each in refusals.read(10)} == {"recent", KNOCK.address}


def test_refusals_without_a_key_are_not_in_the_audit_log_and_those_with_a_key_are() -> None:
    desk = Actor("desk", "10.0.0.1")
    noted = Counter({Entry(Actor("", "10.0.0.9"), "connect", "AUTH_REQUIRED"): 7})
    noted[Entry(desk, "order.submit", "LIMIT_DAY", detail="too much")] = 2
    refusal_log._write(noted)
    assert [(row.actor, row.times) for row in audit.read(Filter(), 10)] == [("desk", 2)]
    assert counts(refusals.read(10)) == {KNOCK: 7}


def test_counts_are_found_by_time_action_and_outcome() -> None:
    other = Refusal("10.0.0.9", "order.submit", "AUTH_REQUIRED")
    guess = Refusal("10.0.0.9", "connect", "AUTH_INVALID")
    refusals.count(Counter({KNOCK: 1, other: 1, guess: 1}))
    now = datetime.now(UTC)

    def found(**wanted: Any) -> set[Refusal]:
        return {each.refusal for each in refusals.read(10, **wanted)}

    assert found(since=now - timedelta(minutes=1), action="order.submit") == {other}
    assert found(since=now + timedelta(minutes=1)) == set()
    assert found(until=now) == {KNOCK, other, guess}
    assert found(until=now - timedelta(hours=2)) == set(), "the hour begins after the filter's end"
    assert found(outcome="AUTH_INVALID") == {guess}
    assert found(outcome="AUTH_INVALID", action="order.submit") == set()
