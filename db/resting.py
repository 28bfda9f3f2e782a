"""Orders that rest, as the triggers read them, and what they note of those that follow the market."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.connection import database
from db.models import Order, in_states
from orderd.domain.order import RESTING


@dataclass(frozen=True, slots=True)
class Resting:
    """An order with the milliseconds until it is looked at, by Postgres' clock."""

    order: Order
    wait_ms: int


_IS_RESTING = in_states(RESTING)


def all_resting() -> list[Resting]:
    """All that rest now."""
    return _read("true", ())


def resting_of_late(seconds: float) -> list[Resting]:
    """Those that began to rest within the last seconds, or are not looked at yet."""
    return _read("looks_from > statement_timestamp() - %s * interval '1 second'", (seconds,))


def _read(which: str, values: tuple[object, ...]) -> list[Resting]:
    wait = "ceil(extract(epoch FROM looks_from - clock_timestamp()) * 1000)::bigint AS wait_ms"
    rows = Order.raw(f"SELECT *, {wait} FROM orders WHERE {_IS_RESTING} AND {which}", *values).execute(database)  # noqa: S608
    return [Resting(row, max(row.wait_ms, 0)) for row in rows]


@dataclass(frozen=True, slots=True)
class Best:
    """The most that the market has paid for a trailing stop, in base units, as it was in this version of it."""

    order_id: UUID
    version: int
    amount_out: int


def raise_best(best: Sequence[Best]) -> None:
    """Keep the best of these trailing stops: it is lowered by nobody. Of another amount the market has paid another."""
    database.execute_sql(
        f"""
        UPDATE orders SET best_out = greatest(best_out, given.best)
        FROM unnest(%s::uuid[], %s::integer[], %s::numeric[]) AS given (id, version, best)
        WHERE orders.id = given.id AND orders.version = given.version AND {_IS_RESTING}""",  # noqa: S608
        ([str(each.order_id) for each in best], [each.version for each in best], [each.amount_out for each in best]),
    )
