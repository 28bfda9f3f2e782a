"""All stored times that start or end a wait, and their adjustment after the clock was set.

Records of the past (events, attempts, the audit log) are not adjusted, and neither are dates that a person chose, such
as the expiry of an API key. ``orderd.domain.clock`` decides when an adjustment is needed.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from db.connection import database, transaction
from db.journal import IN_LINE, IN_LINE_SECONDS, in_order
from db.models import in_states, listed
from db.prepared import Prepared
from orderd.domain.clock import Jump, Reading
from orderd.domain.events import RATE_LIMIT
from orderd.domain.order import ACTIVE, RESTING, SIGNED, WAITING


@dataclass(frozen=True, slots=True)
class Wait:
    """A column with a time. ``written`` is the column that says when it was written, or itself if there is none."""

    table: str
    column: str
    written: str
    which: str


WAITS: Final = (
    Wait("orders", "due_at", "updated_at", f"{in_states(WAITING)} AND waits_for IS NULL"),
    # The next check of a service is seconds away, and written without a change of the order.
    Wait("orders", "due_at", "due_at", f"{in_states(WAITING)} AND waits_for IS NOT NULL"),
    Wait("orders", "waits_since", "waits_since", in_states(WAITING)),
    Wait("orders", "looks_from", "updated_at", in_states(RESTING)),
    # A validity that was given as a date is not adjusted.
    Wait("orders", "valid_until", "created_at", f"{in_states(ACTIVE)} AND expires_at IS NULL"),
    Wait("orders", "updated_at", "updated_at", in_states(SIGNED)),  # since when its outcome is unknown
    Wait(
        "notionals", "at", "at", "at > %(now)s - %(by)s * interval '1 second' - interval '1 day'"
    ),  # for the allowance over 24 hours
)
"""All times except the leases, which start again."""


_READ: Final = Prepared(
    "clock", (), "SELECT extract(epoch FROM clock_timestamp()), extract(epoch FROM at), moved FROM clock"
)


def read() -> Reading:
    """Read the clocks. Needs a connection, like all functions here."""
    now, last, moved = _READ.execute().fetchone()
    return Reading(float(now), float(last), moved)


def note(reading: Reading) -> None:
    """Store this reading as the last one, unless times have been adjusted since."""
    database.execute_sql("UPDATE clock SET at = to_timestamp(%s) WHERE moved = %s", (reading.now, reading.moved))


@transaction
def move(jump: Jump, lease_seconds: float) -> bool:
    """Adjust all stored times by the jump. Returns false if another process has done so.

    Rows that were written after the clock was set are not adjusted. A time without a ``written`` column counts as
    older, unless the adjustment would make it later. So some waits that began between the jump and its detection end
    early.
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
    """Let each lease that existed when the clock was set end one full lease time from now."""
    database.execute_sql(
        f"""
        UPDATE orders SET lease_until = %(now)s
            + CASE WHEN status IN ({listed(WAITING)}) THEN {IN_LINE} ELSE %(lease)s * interval '1 second' END
        WHERE {in_states(ACTIVE)} AND lease_until > %(now)s - greatest(%(by)s, 0) * interval '1 second'""",  # noqa: S608
        values,
    )


def cut(lease_seconds: float, longest_seconds: float) -> int:
    """End waits and leases that exceed these bounds, because the clock was set while no process was running.

    Orders that wait for the rate limit become due, however late their estimate is. Returns the number of orders.
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
