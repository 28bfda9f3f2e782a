"""Which execution comes next follows from what has been executed."""

from typing import Any
from uuid import UUID

from db.connection import database
from orderd.domain.order import OrderKind, TimeInForce
from orderd.engine.next_execution import NextExecution, find
from tests.integration.family import SOL, USDC, accepted, in_parts, oco, twap
from tests.integration.orders import read


def following(order_id: UUID, **columns: Any) -> NextExecution:
    for name, value in columns.items():
        database.execute_sql(f"UPDATE orders SET {name} = %s WHERE id = %s", (value, str(order_id)))
    return find(read(order_id).account_id, str(order_id))


def amounts(found: NextExecution) -> list[int]:
    return [each.terms.amount for each in found.either]


def test_of_a_twap_it_is_the_next_share_of_what_is_left_when_that_is_due() -> None:
    parent = twap()
    first = following(parent)
    assert (amounts(first), first.at, first.paused) == ([SOL], read(parent).looks_from, False)
    assert [each.terms.kind for each in first.either] == [OrderKind.MARKET]
    third = following(parent, slice_no=2, filled_in=SOL, filled_out=100 * USDC)
    assert amounts(third) == [15 * SOL // 10], "what one could not sell is shared by those to come"
    last = following(parent, slice_no=4, paused=True)
    assert (amounts(last), last.is_due) == ([3 * SOL], False)


def test_of_an_oco_it_is_either_end() -> None:
    found = following(oco())
    readings = [each.condition.describe() for each in found.either if each.condition is not None]
    assert readings == ["105 USDC per SOL = at least 105 USDC", "95 USDC per SOL = at most 95 USDC"]
    assert amounts(found) == [SOL, SOL]


def test_of_an_order_in_parts_it_is_what_is_left_of_it() -> None:
    parent = in_parts()
    assert (amounts(following(parent)), following(parent).least) == ([10 * SOL], SOL)
    almost = following(parent, filled_in=95 * SOL // 10, filled_out=1)
    assert (amounts(almost), almost.least) == ([SOL // 2], SOL // 2)


def test_an_order_at_rest_waits_for_its_trigger_and_once_that_was_met_for_its_limit() -> None:
    prices = {"kind": OrderKind.STOP_LIMIT, "stop_price": "95", "limit_price": "94", "confirm": 2}
    order = accepted(amount_in=SOL, **prices)
    (before,) = following(order).either
    assert before.condition is not None
    assert before.condition.price == "95"
    database.execute_sql("UPDATE orders SET triggered_at = now() WHERE id = %s", (str(order),))
    (after,) = following(order).either
    assert after.condition is not None
    assert after.condition.price == "94"


def test_what_does_not_rest_waits_for_nothing() -> None:
    at_once = accepted(kind=OrderKind.LIMIT, amount_in=SOL, limit_price="105", time_in_force=TimeInForce.FOK)
    assert [each.condition for each in following(at_once).either] == [None]
