"""Stored times that end a wait, or that one is counted from: all of them, and how they are moved with the clock.

What is told of the past (events, attempts, the audit) is a record and stays as it was written, and so does what is a
date for people, as a token's expiry. See ``orderd.domain.clock`` for when this is needed.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from db.connection import database, transaction
from db.journal import IN_LINE, IN_LINE_SECONDS, in_order
from db.models import in_states, listed
from orderd.domain.clock import Jump, Reading
from orderd.domain.events import RATE_LIMIT
from orderd.domain.order import ACTIVE, RESTING, SIGNED, WAITING


@dataclass(frozen=True, slots=True)
class Wait:
    """``column`` of ``table``; ``written`` is the column that tells when a row's wait began, where there is one."""

    table: str
    column: str
    written: str
    which: str


WAITS: Final = (
    Wait("orders", "due_at", "due_at", in_states(WAITING)),
    Wait("orders", "waits_since", "waits_since", in_states(WAITING)),
    Wait("orders", "looks_from", "looks_from", in_states(RESTING)),
    # One that was given as a date stays what it is.
    Wait("orders", "valid_until", "created_at", f"{in_states(ACTIVE)} AND expires_at IS NULL"),
    Wait("orders", "updated_at", "updated_at", in_states(SIGNED)),  # how long its outcome is unknown
    Wait(
        "notionals", "at", "at", "at > %(now)s - %(by)s * interval '1 second' - interval '1 day'"
    ),  # an allowance is of 24 hours
)
"""All but the leases, which begin anew."""


def read() -> Reading:
    """Needs a connection, as all here does."""
    now, last, moved = database.execute_sql(
        "SELECT extract(epoch FROM clock_timestamp()), extract(epoch FROM at), moved FROM clock"
    ).fetchone()
    return Reading(float(now), float(last), moved)


def note(reading: Reading) -> None:
    """Let this be the last word on the clock, unless times have been moved since."""
    database.execute_sql("UPDATE clock SET at = to_timestamp(%s) WHERE moved = %s", (reading.now, reading.moved))


@transaction
def move(jump: Jump, lease_seconds: float) -> bool:
    """Move all stored times by the jump; False where somebody else has done so.

    What has been written since the clock was set stays as it is. A time that does not tell when it was written is taken
    for one of before, unless that would have it end later than it would if it were not; so of the waits that began in
    the moment in which nobody had noticed yet, some end early.
    """
    cursor = database.execute_sql(
        "UPDATE clock SET moved = moved + %s, at = clock_timestamp() WHERE moved = %s", (jump.seconds, jump.moved)
    )
    if not cursor.rowcount:
        return False
    database.execute_sql(in_order(in_states(ACTIVE)))
    (now,) = database.execute_sql("SELECT clock_timestamp()").fetchone()
    values = {"now": now, "by": jump.seconds, "since": jump.since, "lease": lease_seconds}
    for wait in WAITS:
        _move(wait, values)
    _renew_leases(values)
    return True


def _move(wait: Wait, values: dict[str, object]) -> None:
    database.execute_sql(
        f"""
        WITH given AS (SELECT %(by)s * interval '1 second' AS by, to_timestamp(%(since)s) AS since)
        UPDATE {wait.table} SET {wait.column} = {wait.column} + given.by FROM given
        WHERE {wait.which}
          AND ({wait.written} < given.since OR (given.by < interval '0' AND {wait.written} > %(now)s))""",  # noqa: S608
        values,
    )


def _renew_leases(values: dict[str, object]) -> None:
    """Whoever held an order when the clock was set holds it for a whole lease from now on, and no longer."""
    database.execute_sql(
        f"""
        UPDATE orders SET lease_until = %(now)s
            + CASE WHEN status IN ({listed(WAITING)}) THEN {IN_LINE} ELSE %(lease)s * interval '1 second' END
        WHERE {in_states(ACTIVE)} AND lease_until > %(now)s - greatest(%(by)s, 0) * interval '1 second'""",  # noqa: S608
        values,
    )


def cut(lease_seconds: float, longest_seconds: float) -> int:
    """End waits and leases that are longer than any can be by these bounds: the clock was set while nobody looked.

    Orders in line for a start are woken from there, however far away the estimate is. Returns how many orders.
    """
    waits = f"due_at > %(due)s AND waits_for IS DISTINCT FROM '{RATE_LIMIT}'"
    (now,) = database.execute_sql("SELECT clock_timestamp()").fetchone()
    cursor = database.execute_sql(
        f"""
        UPDATE orders SET due_at = CASE WHEN {waits} THEN %(due)s ELSE due_at END,
            lease_until = CASE WHEN lease_until > %(lease)s THEN %(lease)s ELSE lease_until END
        WHERE id IN ({in_order(f"{in_states(ACTIVE)} AND (({waits}) OR lease_until > %(lease)s)")})""",  # noqa: S608
        {
            "due": now + timedelta(seconds=longest_seconds),
            "lease": now + timedelta(seconds=max(lease_seconds, IN_LINE_SECONDS)),
        },
    )
    return int(cursor.rowcount)
