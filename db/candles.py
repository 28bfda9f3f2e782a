"""Stored candles of pairs, per minute and per hour. Several processes can add to the same candle."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from db.age import DAYS_AGO
from db.connection import database
from orderd.domain.candles import HOUR, KEPT_DAYS, MINUTE, Candle

_ROWS: Final = 5_000
_NEAR: Final = 48 * HOUR


@dataclass(frozen=True, slots=True)
class PairCandle:
    """``base`` and ``quote`` are mints."""

    base: str
    quote: str
    seconds: int
    candle: Candle


def add(candles: Iterable[PairCandle]) -> None:
    """Merge candles into the stored ones. Each covers the observations of one process since its last call. Needs a
    connection, like all functions here."""
    rows = [
        {
            "base": each.base,
            "quote": each.quote,
            "seconds": each.seconds,
            "at": each.candle.at.isoformat(),
            **{name: f"{getattr(each.candle, name):f}" for name in ("open", "high", "low", "close")},
        }
        for each in sorted(candles, key=lambda each: (each.base, each.quote, each.seconds, each.candle.at))
    ]
    database.execute_sql(
        """
        INSERT INTO candles AS c (base, quote, seconds, at, open, high, low, close)
        SELECT base, quote, seconds, at, open, high, low, close FROM jsonb_to_recordset(%s) AS
            seen (base text, quote text, seconds int, at timestamptz,
                  open numeric, high numeric, low numeric, close numeric)
        ON CONFLICT (base, quote, seconds, at) DO UPDATE SET
            high = greatest(c.high, excluded.high), low = least(c.low, excluded.low), close = excluded.close""",
        (json.dumps(rows),),
    )


def read(base: str, quote: str, seconds: int, since: datetime, until: datetime, limit: int) -> list[Candle]:
    """The candles from ``since`` to before ``until``: the newest ``limit`` of them, oldest first."""
    rows = database.execute_sql(
        """
        SELECT at, open, high, low, close FROM candles
        WHERE base = %s AND quote = %s AND seconds = %s AND at >= %s AND at < %s ORDER BY at DESC LIMIT %s""",
        (base, quote, seconds, since, until, limit),
    ).fetchall()
    return [Candle(*row) for row in reversed(rows)]


def price_at(base: str, quote: str, at: datetime, *, is_estimate: bool = False) -> Decimal | None:
    """The price of the pair at that time: the last one of the hour before. None if there is none.

    An estimate uses the nearest known price: of the two days before or, if there is none, of the two days after.
    """
    minute = _last_before(base, quote, MINUTE, at, HOUR)
    if minute is not None or not is_estimate:
        return minute
    return _last_before(base, quote, HOUR, at, _NEAR) or _first_after(base, quote, HOUR, at, _NEAR)


def _last_before(base: str, quote: str, seconds: int, at: datetime, near: int) -> Decimal | None:
    row = database.execute_sql(
        """
        SELECT close FROM candles WHERE base = %s AND quote = %s AND seconds = %s
            AND at <= %s AND at > %s - %s * interval '1 second' ORDER BY at DESC LIMIT 1""",
        (base, quote, seconds, at, at, near),
    ).fetchone()
    return None if row is None else Decimal(row[0])


def _first_after(base: str, quote: str, seconds: int, at: datetime, near: int) -> Decimal | None:
    row = database.execute_sql(
        """
        SELECT open FROM candles WHERE base = %s AND quote = %s AND seconds = %s
            AND at > %s AND at < %s + %s * interval '1 second' ORDER BY at LIMIT 1""",
        (base, quote, seconds, at, at, near),
    ).fetchone()
    return None if row is None else Decimal(row[0])


def remove_old() -> int:
    """Remove a batch of expired candles. Returns their number."""
    removed = 0
    for seconds, days in KEPT_DAYS.items():
        cursor = database.execute_sql(
            f"""
            DELETE FROM candles WHERE (base, quote, seconds, at) IN (
                SELECT base, quote, seconds, at FROM candles
                WHERE seconds = %(seconds)s AND at < {DAYS_AGO} ORDER BY at LIMIT %(rows)s)""",  # noqa: S608
            {"seconds": seconds, "days": days, "rows": _ROWS},
        )
        removed += int(cursor.rowcount)
    return removed
