"""Statistics of recent orders by time, venue and error code, from the newest rows of an index."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from db.connection import database

MAX_ROWS: Final = 5_000
"""Maximum number of rows per kind, which limits the time to about ten milliseconds."""
_AGO: Final = "floor(extract(epoch FROM statement_timestamp() - {at}) / %(step)s)::integer"
_SINCE: Final = "statement_timestamp() - %(span)s * interval '1 second'"
_OF_ACCOUNT: Final = "(%(account)s::uuid IS NULL OR o.account_id = %(account)s::uuid)"


@dataclass(frozen=True, slots=True)
class FillFigures:
    """Statistics of fills. ``seconds`` is the time from acceptance to fill of market orders: median and 95th
    percentile.

    ``bps`` is how much fills paid above their quotes, in basis points: 10th percentile, median and 90th percentile.
    """

    fills: int
    seconds: tuple[float, float] | None
    bps: tuple[float, float, float] | None


@dataclass(slots=True)
class Recent:
    """Counts and statistics by the number of steps ago; 0 is the current step."""

    accepted: dict[int, int] = field(default_factory=dict)
    failed: dict[int, int] = field(default_factory=dict)
    """Failed attempts, not orders."""
    filled: dict[int, FillFigures] = field(default_factory=dict)
    by_venue: dict[str, FillFigures] = field(default_factory=dict)
    by_code: dict[str, int] = field(default_factory=dict)
    all_fills: FillFigures = field(default_factory=lambda: FillFigures(0, None, None))


def recent(span: int, step: int, account_id: UUID | None = None) -> Recent:
    """The last ``span`` seconds in steps of ``step`` seconds, for an account's orders or all. Needs a connection."""
    given = {
        "span": span,
        "step": step,
        "most": MAX_ROWS,
        "account": None if account_id is None else str(account_id),
        "first": str(_first_id(span)),
    }
    found = Recent()
    for ago, venue, of_all, *figures in database.execute_sql(_FILLS, given):
        if of_all:
            found.all_fills = _figures(*figures)
        elif ago is not None:
            found.filled[ago] = _figures(*figures)
        else:
            found.by_venue[venue or ""] = _figures(*figures)
    for ago, code, attempts in database.execute_sql(_FAILURES, given):
        if code is None:
            found.failed[ago] = attempts
        else:
            found.by_code[code] = attempts
    found.accepted = dict(database.execute_sql(_ACCEPTED, given).fetchall())
    return found


def _first_id(span: int) -> UUID:
    """The smallest order id of this period: ids begin with their time in milliseconds (RFC 9562)."""
    since = datetime.now(UTC) - timedelta(seconds=span)
    return UUID(int=int(since.timestamp() * 1000) << 80)


def _figures(fills: int, seconds: Any, bps: Any) -> FillFigures:  # noqa: ANN401  (arrays of the driver)
    """Convert quantiles; without data, the array is NULL or contains NULLs."""
    return FillFigures(
        fills,
        None if seconds is None or seconds[0] is None else (seconds[0], seconds[1]),
        None if bps is None or bps[0] is None else (bps[0], bps[1], bps[2]),
    )


_FILLS: Final = f"""
    WITH recent AS MATERIALIZED (
        SELECT {_AGO.format(at="f.at")} AS ago, o.venue,
            CASE WHEN o.kind = 'market' AND o.parent_id IS NULL
                 THEN extract(epoch FROM f.at - o.created_at)::float8 END AS seconds,
            (CASE WHEN o.exact_out IS NULL THEN (f.amount_out - o.quoted_amount_out) / nullif(o.quoted_amount_out, 0)
                  ELSE (o.quoted_amount_in - f.amount_in) / nullif(o.quoted_amount_in, 0) END * 10000)::float8 AS bps
        FROM fills f JOIN orders o ON o.id = f.order_id
        WHERE f.at > {_SINCE} AND f.rolled_back_at IS NULL AND {_OF_ACCOUNT}
        ORDER BY f.at DESC LIMIT %(most)s)
    SELECT ago, venue, grouping(ago) + grouping(venue) = 2, count(*),
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY seconds),
        percentile_cont(ARRAY[0.1, 0.5, 0.9]) WITHIN GROUP (ORDER BY bps)
    FROM recent GROUP BY GROUPING SETS ((ago), (venue), ())"""  # noqa: S608
_FAILURES: Final = f"""
    WITH recent AS MATERIALIZED (
        SELECT {_AGO.format(at="f.at")} AS ago, f.code FROM order_failures f JOIN orders o ON o.id = f.order_id
        WHERE f.at > {_SINCE} AND {_OF_ACCOUNT} ORDER BY f.at DESC LIMIT %(most)s)
    SELECT ago, code, count(*) FROM recent GROUP BY GROUPING SETS ((ago), (code))"""  # noqa: S608
_ACCEPTED: Final = f"""
    WITH recent AS MATERIALIZED (
        SELECT {_AGO.format(at="o.created_at")} AS ago FROM orders o
        WHERE o.id >= %(first)s::uuid AND {_OF_ACCOUNT} ORDER BY o.id DESC LIMIT %(most)s)
    SELECT ago, count(*) FROM recent GROUP BY ago"""  # noqa: S608
