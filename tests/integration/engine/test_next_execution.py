"""The next execution of an order follows from the executions it has had."""

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


def test_the_next_execution_of_a_twap_is_its_share_of_the_remaining_amount() -> None:
    parent = twap()
    first = following(parent)
    assert (amounts(first), first.at, first.paused) == ([SOL], read(parent).looks_from, False)
    assert [each.terms.kind for each in first.either] == [OrderKind.MARKET]
    third = following(parent, slice_no=2, filled_in=SOL, filled_out=100 * USDC)
    assert amounts(third) == [15 * SOL // 10], "the unsold amount is shared by the remaining executions"
    last = following(parent, slice_no=4, paused=True)
    assert (amounts(last), last.is_due, last.at) == ([3 * SOL], False, None)


def test_the_next_execution_of_an_oco_is_either_child() -> None:
    found = following(oco())
    readings = [each.condition.describe() for each in found.either if each.condition is not None]
    assert readings == ["105 USDC per SOL = at least 105 USDC", "95 USDC per SOL = at most 95 USDC"]
    assert amounts(found) == [SOL, SOL]


def test_the_next_execution_of_a_partial_order_is_its_remaining_amount() -> None:
    parent = in_parts()
    assert (amounts(following(parent)), following(parent).least) == ([10 * SOL], SOL)
    almost = following(parent, filled_in=95 * SOL // 10, filled_out=1)
    assert (amounts(almost), almost.least) == ([SOL // 2], SOL // 2)


def test_a_stop_limit_waits_for_its_trigger_and_then_for_its_limit() -> None:
    prices = {"kind": OrderKind.STOP_LIMIT, "stop_price": "95", "limit_price": "94", "confirm": 2}
    order = accepted(amount_in=SOL, **prices)
    (before,) = following(order).either
    assert before.condition is not None
    assert before.condition.price == "95"
    database.execute_sql("UPDATE orders SET triggered_at = now() WHERE id = %s", (str(order),))
    (after,) = following(order).either
    assert after.condition is not None
    assert after.condition.price == "94"


def test_a_market_order_waits_for_no_price() -> None:
    at_once = accepted(kind=OrderKind.LIMIT, amount_in=SOL, limit_price="105", time_in_force=TimeInForce.FOK)
    assert [each.condition for each in following(at_once).either] == [None]
