"""Refused requests without a valid key: counted per hour, with bounded numbers of rows and days.

A caller without a key can cause any number of refusals. So they are not written to the audit log, which only grows.
Equal refusals within an hour are one row, the number of rows per hour is limited, and old rows are deleted. No row
contains text from the caller.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db.connection import database, transaction

ROWS_AN_HOUR: Final = 500
"""Maximum number of rows per hour; further refusals are counted in one row per outcome."""
KEPT_DAYS: Final = 30
_MANY: Final = ("", "many")
"""The address and the action of the row that counts the rest."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """``action`` is the name of the refused operation, ``outcome`` an error code."""

    address: str
    action: str
    outcome: str


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """Equal refusals of an hour."""

    refusal: Refusal
    times: int
    last_at: datetime


def count(refusals: Counter[Refusal]) -> None:
    """Add to this hour's counts. The hour's first write deletes what is older than ``KEPT_DAYS``."""
    if refusals:
        _count(refusals)


@transaction
def _count(refusals: Counter[Refusal]) -> None:
    hour = database.execute_sql("SELECT date_trunc('hour', clock_timestamp())").fetchone()[0]
    known = _known(hour)
    if not known:
        database.execute_sql("DELETE FROM refusals WHERE hour < %s - %s * interval '1 day'", (hour, KEPT_DAYS))
    counts: Counter[Refusal] = Counter()
    for refusal, times in refusals.items():
        if refusal not in known and len(known) >= ROWS_AN_HOUR:
            counts[Refusal(*_MANY, refusal.outcome)] += times
            continue
        known.add(refusal)
        counts[refusal] += times
    # Sorted, so that gateways that count at the same time cannot deadlock.
    ordered = sorted(counts.items(), key=lambda item: (item[0].address, item[0].action, item[0].outcome))
    database.execute_sql(
        """
        INSERT INTO refusals (hour, address, action, outcome, times)
        SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[])
        ON CONFLICT (hour, address, action, outcome)
        DO UPDATE SET times = refusals.times + excluded.times, last_at = clock_timestamp()""",
        (
            hour,
            [refusal.address for refusal, _ in ordered],
            [refusal.action for refusal, _ in ordered],
            [refusal.outcome for refusal, _ in ordered],
            [times for _, times in ordered],
        ),
    )


def read(
    limit: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    action: str | None = None,
    outcome: str | None = None,
) -> Sequence[RefusalCount]:
    """The newest counts, oldest first, of hours that overlap the time from ``since`` to ``until``.

    None matches all.
    """
    rows = database.execute_sql(
        """
        SELECT address, action, outcome, times, last_at FROM refusals
        WHERE (%(since)s::timestamptz IS NULL OR last_at >= %(since)s)
          AND (%(until)s::timestamptz IS NULL OR hour < %(until)s)
          AND (%(action)s::text IS NULL OR action = %(action)s)
          AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
        ORDER BY last_at DESC LIMIT %(limit)s""",
        {"since": since, "until": until, "action": action, "outcome": outcome, "limit": limit},
    ).fetchall()
    return [RefusalCount(Refusal(*row[:3]), int(row[3]), row[4]) for row in reversed(rows)]


def _known(hour: datetime) -> set[Refusal]:
    rows = database.execute_sql("SELECT address, action, outcome FROM refusals WHERE hour = %s", (hour,))
    return {Refusal(*row) for row in rows.fetchall()}
