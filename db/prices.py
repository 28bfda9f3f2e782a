"""The last prices of pairs, from routed orders."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from db.connection import database
from orderd.domain.quote import UNANSWERED


@dataclass(frozen=True, slots=True)
class PastRoute:
    """The route of an order, ``age`` seconds ago. Amounts are in base units."""

    amount_in: int
    amount_out: int
    price_impact_bps: str
    pools: frozenset[str]
    age: float


def last_route(mint_in: str, mint_out: str, seconds: float) -> PastRoute | None:
    """The newest route of an order for this pair within the last ``seconds``.

    An order with its own limit price can use an unusual route, so its route only counts if all venues had responded.
    """
    with database.connection_context():
        row = database.execute_sql(
            """
            SELECT coalesce(o.amount_in, o.quoted_amount_in), o.quoted_amount_out, e.data,
                   extract(epoch FROM greatest(clock_timestamp() - e.at, interval '0'))
            FROM orders o JOIN order_events e ON e.order_id = o.id AND e.kind = 'routed'
            WHERE o.id > %s AND o.mint_in = %s AND o.mint_out = %s
              AND ((o.min_out IS NULL AND o.max_in IS NULL AND o.limit_price IS NULL) OR NOT EXISTS (
                SELECT FROM jsonb_array_elements(e.data->'refusals') refusal WHERE refusal->>'code' = ANY(%s)))
            ORDER BY o.id DESC, e.seq DESC LIMIT 1""",
            (
                str(_first_id(datetime.now(UTC) - timedelta(seconds=seconds))),
                mint_in,
                mint_out,
                [*map(str, UNANSWERED)],
            ),
        ).fetchone()
    if row is None:
        return None
    amount_in, amount_out, routed, age = row
    pools = frozenset(each["pool"] for each in (*routed["quotes"], *routed["route"]))
    return PastRoute(int(amount_in), int(amount_out), routed["chosen"]["price_impact_bps"], pools, float(age))


def _first_id(at: datetime) -> UUID:
    """The smallest UUIDv7 of this time: its first 48 bits are the milliseconds (RFC 9562, section 5.7)."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
