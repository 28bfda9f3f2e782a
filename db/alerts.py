"""Stored alerts: the outbox, the deliveries that are due, and the lasting conditions.

An alert about an order is written by the statement that changes the order (``clause_for``): it is
stored if and only if the change is. A delivery is taken by making it due again later: if the process dies before it
has stored that the receiver confirmed, the alert is delivered again with the same id. All functions need a connection.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from db.connection import database, transaction
from orderd.domain.alerts import OF_ORDERS, OF_WHOLE_ORDERS, AlertKind
from orderd.domain.order import EventKind, OrderKind

SUBSCRIBED_DAYS: Final = 7
"""How long alerts are still stored after the last notifier has ended."""
LEASE_SECONDS: Final = 60
"""When a delivery that has begun is due again. Every try times out long before."""
MAX_PAUSE_SECONDS: Final = 600
_STRAY: Final = "interval '15 minutes'"
"""No delivery waits this long: if one seems to, it was stored before the server's clock was set back."""
_PAUSE_SECONDS: Final = 60
"""Pause after a condition begins or ends: a condition that wavers causes at most one alert per minute."""
_STOPS: Final = (OrderKind.STOP, OrderKind.STOP_LIMIT, OrderKind.TRAILING)
_MAX_ERROR_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class Alert:
    """``event`` is the fact that an order's history holds under ``seq``, and ``order`` what the order is known by."""

    id: str
    kind: AlertKind
    at: datetime
    data: Mapping[str, Any]
    order_id: UUID | None = None
    seq: int | None = None
    order: Mapping[str, Any] | None = None
    event: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AlertDelivery:
    """An alert that a receiver has not confirmed yet; ``tries`` counts this one."""

    alert: Alert
    tries: int


@dataclass(frozen=True, slots=True)
class FiredStop:
    """A stop that has fired and not sold yet."""

    order_id: UUID
    client_order_id: str
    token_in: str
    token_out: str
    triggered_at: datetime
    waits_for: str | None


def clause_for(event: EventKind, moved: str = "moved") -> str | None:
    """The SQL that stores the alert about this event for each order in ``moved``; None if no alert is about it.

    It is a common table expression of the statement, and does nothing while no receiver has subscribed to its kind.
    """
    kind = OF_ORDERS.get(event)
    if kind is None:
        return None
    whole = "parent_id IS NULL AND" if kind in OF_WHOLE_ORDERS else ""
    return f"""alerted AS (
            INSERT INTO alerts (id, kind, at, order_id, seq)
            SELECT id || '-' || seq, '{kind}', updated_at, id, seq FROM {moved}
            WHERE {whole} EXISTS ({_subscribed(f"'{kind}'")})
            ON CONFLICT (id) DO NOTHING)"""  # noqa: S608


def _subscribed(kind: str) -> str:
    return f"SELECT FROM alert_subscriptions WHERE kind = {kind} AND until > statement_timestamp()"


def subscribe(kinds: Iterable[AlertKind]) -> None:
    """Store alerts of these kinds from now on, until some days after the last call."""
    database.execute_sql(
        """
        INSERT INTO alert_subscriptions AS s (kind, until)
        SELECT kind, clock_timestamp() + %s * interval '1 day' FROM unnest(%s::text[]) AS _(kind) ORDER BY kind
        ON CONFLICT (kind) DO UPDATE SET until = excluded.until""",
        (SUBSCRIBED_DAYS, sorted(kinds)),
    )


def store(kind: AlertKind, data: Mapping[str, Any]) -> None:
    """Store this alert if a receiver has subscribed to its kind. Part of the current transaction."""
    database.execute_sql(
        f"INSERT INTO alerts (id, kind, data) SELECT %s, %s, %s::jsonb WHERE EXISTS ({_subscribed('%s')})",
        (str(uuid7()), kind, orjson.dumps(data).decode(), kind),
    )


# Which receiver gets which alert


@transaction
def distribute(receivers: Mapping[str, Iterable[AlertKind]], most: int = 1_000) -> int:
    """Make new alerts due for the receivers that want them. Returns the number of alerts."""
    pairs = [(name, str(kind)) for name, kinds in receivers.items() for kind in kinds]
    rows = database.execute_sql(
        """
        WITH new AS (
            UPDATE alerts SET distributed = true WHERE id IN (
                SELECT id FROM alerts WHERE NOT distributed ORDER BY at LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING id, kind),
        due AS (
            INSERT INTO alert_deliveries (receiver, alert_id)
            SELECT receiver, id FROM new JOIN unnest(%s::text[], %s::text[]) AS _(receiver, kind) USING (kind)
            ON CONFLICT DO NOTHING)
        SELECT count(*) FROM new""",
        (most, [name for name, _ in pairs], [kind for _, kind in pairs]),
    )
    (count,) = rows.fetchone()
    return int(count)


def take(receiver: str, most: int) -> list[AlertDelivery]:
    """Take up to ``most`` due deliveries, the oldest first; no other process takes them until the lease ends."""
    rows = database.execute_sql(
        f"""
        WITH taken AS (
            UPDATE alert_deliveries d
            SET due_at = clock_timestamp() + {LEASE_SECONDS} * interval '1 second', tries = tries + 1
            WHERE receiver = %s AND alert_id IN (
                SELECT alert_id FROM alert_deliveries
                WHERE receiver = %s AND due_at IS NOT NULL
                  AND (due_at <= statement_timestamp() OR due_at > statement_timestamp() + {_STRAY})
                ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING alert_id, tries)
        SELECT a.id, a.kind, a.at, a.data, a.order_id, a.seq, tries, e.data,
               o.client_order_id, c.name, o.kind, o.token_in, o.token_out
        FROM taken JOIN alerts a ON a.id = alert_id
        LEFT JOIN orders o ON o.id = a.order_id LEFT JOIN accounts c ON c.id = o.account_id
        LEFT JOIN order_events e ON e.order_id = a.order_id AND e.seq = a.seq
        ORDER BY a.at, a.id""",  # noqa: S608
        (receiver, receiver, most),
    )
    return [
        AlertDelivery(Alert(id_, AlertKind(kind), at, data, _uuid(order_id), seq, _order(*order), event), tries)
        for id_, kind, at, data, order_id, seq, tries, event, *order in rows
    ]


def _uuid(value: object) -> UUID | None:
    return None if value is None else UUID(str(value))


def _order(*known: str | None) -> dict[str, str | None] | None:
    """The order of the alert; None if the alert is not about an order."""
    names = ("client_order_id", "account", "kind", "token_in", "token_out")
    return None if known[0] is None else dict(zip(names, known, strict=True))


def delivered(receiver: str, ids: Sequence[str]) -> None:
    """The receiver has confirmed these."""
    database.execute_sql(
        """
        UPDATE alert_deliveries SET due_at = NULL, delivered_at = clock_timestamp(), last_error = NULL
        WHERE receiver = %s AND alert_id = ANY(%s)""",
        (receiver, list(ids)),
    )


def postpone(receiver: str, pauses: Mapping[str, float], error: str) -> None:
    """Make these deliveries due again after so many seconds, because they were not confirmed."""
    database.execute_sql(
        """
        UPDATE alert_deliveries d SET due_at = clock_timestamp() + pause * interval '1 second', last_error = %s
        FROM unnest(%s::text[], %s::float8[]) AS _(alert_id, pause)
        WHERE d.receiver = %s AND d.alert_id = _.alert_id AND d.due_at IS NOT NULL""",
        (error[:_MAX_ERROR_CHARACTERS], list(pauses), list(pauses.values()), receiver),
    )


def waiting() -> list[tuple[str, int, datetime, str]]:
    """By receiver: the number of unconfirmed deliveries, the time of the oldest, and the last error."""
    rows = database.execute_sql(
        """
        SELECT receiver, count(*), min(at), coalesce((array_agg(last_error ORDER BY tries DESC))[1], '')
        FROM alert_deliveries JOIN alerts ON id = alert_id WHERE due_at IS NOT NULL
        GROUP BY receiver ORDER BY receiver"""
    )
    return [(receiver, int(count), since, error) for receiver, count, since, error in rows]


# Lasting conditions


def watches(holder: str, seconds: float) -> bool:
    """Whether this notifier checks the conditions. It does so for this long after each call."""
    taken = database.execute_sql(
        """
        INSERT INTO alert_watch AS w (holder, until) VALUES (%s, clock_timestamp() + %s * interval '1 second')
        ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, until = excluded.until
        WHERE w.holder = excluded.holder OR w.until < clock_timestamp()
           OR w.until > clock_timestamp() + interval '1 hour'""",
        (holder, seconds),
    )
    return bool(taken.rowcount)


@transaction
def settle(kind: AlertKind, firing: Mapping[str, Mapping[str, Any]]) -> None:
    """Store that these conditions of this kind hold now, by key, and an alert for each that has begun or ended
    since."""
    begun = database.execute_sql(
        f"""
        INSERT INTO alert_conditions AS c (key, kind, firing)
        SELECT key, %s, true FROM unnest(%s::text[]) AS _(key) ORDER BY key
        ON CONFLICT (key) DO UPDATE SET firing = true, since = excluded.since
        WHERE NOT c.firing AND {_after_pause("c")} RETURNING key""",  # noqa: S608
        (kind, sorted(firing)),
    )
    for (key,) in begun.fetchall():
        store(kind, {"state": "firing", **firing[key]})
    ended = database.execute_sql(
        f"""
        UPDATE alert_conditions c SET firing = false, since = clock_timestamp()
        WHERE kind = %s AND firing AND key <> ALL(%s) AND {_after_pause("c")} RETURNING key""",  # noqa: S608
        (kind, sorted(firing)),
    )
    for (key,) in ended.fetchall():
        store(kind, {"state": "resolved", "key": key})
    database.execute_sql(
        "DELETE FROM alert_conditions WHERE kind = %s AND NOT firing AND since < clock_timestamp() - interval '1 day'",
        (kind,),
    )


def _after_pause(condition: str) -> str:
    now, pause = "statement_timestamp()", f"interval '{_PAUSE_SECONDS} seconds'"
    return f"({condition}.since < {now} - {pause} OR {condition}.since > {now} + {pause})"


def fired_stops(seconds: float) -> list[FiredStop]:
    """The stops that fired longer ago than this and have not sold."""
    rows = database.execute_sql(
        """
        SELECT id, client_order_id, token_in, token_out, triggered_at, waits_for FROM orders
        WHERE triggered_at IS NOT NULL AND ended_as IS NULL AND kind = ANY(%s)
          AND triggered_at < statement_timestamp() - %s * interval '1 second'
        ORDER BY triggered_at LIMIT 100""",
        (list(_STOPS), seconds),
    )
    return [FiredStop(UUID(str(row[0])), *row[1:]) for row in rows]


def longest_wait(reason: str) -> float:
    """How many seconds the longest-waiting order has waited for this reason."""
    (seconds,) = database.execute_sql(
        """
        SELECT extract(epoch FROM statement_timestamp() - min(waits_since)) FROM orders
        WHERE due_at IS NOT NULL AND ended_as IS NULL AND waits_for = %s""",
        (reason,),
    ).fetchone()
    return max(float(seconds or 0), 0.0)
