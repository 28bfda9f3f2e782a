"""Orders that rest, as the triggers read them, and what they note of those that follow the market."""

from collections.abc import Mapping
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


def raise_best(best: Mapping[UUID, int]) -> None:
    """Keep the most that the market has paid for each of these trailing stops: it is lowered by nobody."""
    database.execute_sql(
        f"""
        UPDATE orders SET best_out = greatest(best_out, given.best)
        FROM unnest(%s::uuid[], %s::numeric[]) AS given (id, best)
        WHERE orders.id = given.id AND {_IS_RESTING}""",  # noqa: S608
        ([str(each) for each in best], list(best.values())),
    )
