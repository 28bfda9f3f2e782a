"""How evaluations of the market affect one resting order: met at once, confirmed, or followed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from orderd.domain.money import BPS
from orderd.domain.trigger import Bound
from orderd.engine.triggers.watched import Observed, Watched
from tests.unit.engine.orders import order_of
from tests.unit.engine.test_routing import REQUEST

NOW = 1_000.0
MILLION = 10**6
"""Base units per USDC."""


def watched(what: str, **row: Any) -> Watched:
    """An order that sells 1 SOL, so that a price in USDC is the output of an evaluation in millions."""
    return Watched(order_of(what, **row), NOW)


def look(paid: float, slot: int = 10, at: float = NOW) -> Observed:
    return Observed(round(paid * MILLION), slot, at)


def meets(order: Watched, looks: Sequence[Observed | None]) -> list[bool]:
    """The result of each evaluation, in the order in which triggers use them: first the best price, then the bound."""
    return [_meets(order, each) for each in looks]


def _meets(order: Watched, seen: Observed | None) -> bool:
    if seen is not None:
        order.rises(seen)
    return order.is_met(seen)


@pytest.mark.parametrize(
    ("what", "near_miss", "crossing", "gap"),
    [
        ("limit", 104.999999, 105, 150),
        ("take_profit", 119.999999, 120, 300),
        ("take_profit_limit", 119.999999, 120, 300),
    ],
)
def test_an_order_for_a_better_price_is_met_by_a_single_evaluation(
    what: str, near_miss: float, crossing: float, gap: float
) -> None:
    assert meets(watched(what), [look(near_miss), None, look(crossing)]) == [False, False, True]
    assert meets(watched(what), [look(gap)]) == [True]
    assert not watched(what).is_confirming


@pytest.mark.parametrize(
    ("what", "near_miss", "crossing", "gap"), [("stop", 95.000001, 95, 60), ("stop_limit", 95.000001, 95, 60)]
)
def test_a_stop_is_met_by_two_evaluations_in_different_slots(
    what: str, near_miss: float, crossing: float, gap: float
) -> None:
    assert meets(watched(what), [look(near_miss, 1), look(crossing, 2), look(crossing, 3)]) == [False, False, True]
    assert meets(watched(what), [look(gap, 1), look(crossing, 2)]) == [False, True]
    assert meets(watched(what), [look(crossing, 5), look(crossing, 5), look(crossing, 4)]) == [False, False, False]


@pytest.mark.parametrize("between", [look(96, 3), None], ids=["a better price", "no route"])
def test_an_unmet_evaluation_restarts_the_confirmation(between: Observed | None) -> None:
    order = watched("stop")
    assert meets(order, [look(90, 1), between]) == [False, False]
    assert not order.is_confirming
    assert meets(order, [look(90, 4), look(90, 5)]) == [False, True]


def test_a_stop_with_confirm_1_is_met_by_one_evaluation() -> None:
    assert meets(watched("stop", terms={"confirm": 1}), [look(95)]) == [True]


def test_a_stop_with_confirm_for_is_met_after_that_time() -> None:
    order = watched("stop", terms={"confirm": 1, "confirm_for": "2s"})
    assert meets(order, [look(90, 1, NOW), look(90, 2, NOW + 1.9)]) == [False, False]
    assert order.is_confirming
    assert meets(order, [look(90, 3, NOW + 2)]) == [True]


def test_confirm_and_confirm_for_must_both_be_satisfied() -> None:
    order = watched("stop", terms={"confirm": 3, "confirm_for": "1s"})
    assert meets(order, [look(90, 1, NOW), look(90, 2, NOW + 5), look(90, 3, NOW + 6)]) == [False, False, True]
    order = watched("stop", terms={"confirm": 2, "confirm_for": "1s"})
    assert meets(order, [look(90, 1, NOW), look(90, 2, NOW), look(90, 3, NOW + 1)]) == [False, False, True]


def test_a_fired_stop_limit_waits_only_for_its_limit() -> None:
    order = watched("stop_limit", triggered_at=datetime.now(UTC))
    assert order.better is None
    assert order.bound == Bound(94 * MILLION, is_least=True)
    assert meets(order, [look(93.9), look(94)]) == [False, True]


def test_a_take_profit_waits_for_its_price_again_after_a_failed_attempt() -> None:
    order = watched("take_profit", triggered_at=datetime.now(UTC))
    assert meets(order, [look(119.9), look(120)]) == [False, True]


def test_a_trailing_stop_follows_the_best_price_and_never_returns() -> None:
    order = watched("trailing", terms={"confirm": 1})
    assert (order.bound, order.better) == (Bound(0, is_least=False), Bound(1, is_least=True))
    prices = [100, 98, 110, 107, 106.71, 106.7]
    assert meets(order, [look(paid, slot) for slot, paid in enumerate(prices)]) == [False] * 5 + [True]
    assert order.best_out == 110 * MILLION
    assert order.bound == Bound(106_700_000, is_least=False)
    assert order.better == Bound(110 * MILLION + 1, is_least=True)


def test_a_price_of_a_single_slot_is_not_followed() -> None:
    """A pool that pays much more in one slot and is gone in the next does not move the market."""
    order = watched("trailing")
    assert meets(order, [look(100, 1), look(120, 2)]) == [False, False]
    assert order.has_risen
    assert meets(order, [look(120, 2), look(100, 3), look(100, 4)]) == [False] * 3
    assert (order.best_out, order.has_risen) == (100 * MILLION, False)
    assert meets(order, [look(120, 5), look(110, 6)]) == [False, False]
    assert order.best_out == 110 * MILLION, "the lower price of both slots"


def test_a_restart_keeps_the_best_price() -> None:
    order = watched("trailing", best_out=110 * MILLION)
    assert meets(order, [look(106.7, 1), look(106.7, 2)]) == [False, True]


def test_a_trailing_stop_is_confirmed_after_a_gap_like_any_stop() -> None:
    order = watched("trailing")
    assert meets(order, [look(100, 1), look(50, 2), look(50, 2), look(40, 3)]) == [False, False, False, True]


def test_a_better_price_resets_the_confirmation() -> None:
    order = watched("trailing")
    assert meets(order, [look(100, 1), look(90, 2), look(101, 3), look(101, 4)]) == [False] * 4
    assert not order.is_confirming
    assert meets(order, [look(97.97, 5), look(97.971, 6), look(97.97, 7), look(97.97, 8)]) == [False] * 3 + [True]


def test_a_stop_of_a_purchase_is_met_by_a_rising_price() -> None:
    order = watched("stop", sells="USDC", amount="95")  # at a price of 95 it buys 1 SOL
    assert meets(
        order,
        [Observed(10**9 + 1, 1, NOW), Observed(10**9, 2, NOW), Observed(10**9, 3, NOW)],
    ) == [
        False,
        False,
        True,
    ]


def test_orders_whose_price_is_passed_farthest_are_first() -> None:
    near, far = watched("limit"), watched("limit", terms={"limit_price": "100"})
    paid = look(105.5)
    assert sorted([near, far], key=lambda each: each.passed(paid), reverse=True) == [far, near]
    stop, late = watched("stop"), watched("stop", terms={"stop_price": "99"})
    assert stop.passed(look(94)) < late.passed(look(94))


def test_the_event_has_the_price_the_condition_and_the_first_slot_that_met_it() -> None:
    order = watched("stop")
    meets(order, [look(94.5, 7), look(94, 9)])
    fact = order.fact(look(94, 9))
    assert (fact.price, fact.amount_out, fact.slot, fact.met_at_slot) == ("94 USDC per SOL", "94", 9, 7)
    assert fact.condition == "95 USDC per SOL = at most 95 USDC"


@pytest.mark.parametrize("what", ["stop", "stop_limit", "trailing"])
def test_a_stop_is_quoted_at_any_low_price_but_not_without_known_pools(what: str) -> None:
    request = watched(what).request
    assert (request.exit_bps, request.max_cost_bps, request.has_own_floor) == (BPS, BPS, False)


@pytest.mark.parametrize(("what", "has_own_floor"), [("limit", True), ("take_profit", False)])
def test_an_order_for_a_better_price_is_quoted_as_it_would_trade(what: str, has_own_floor: bool) -> None:
    request = watched(what, terms={"max_cost": "1"}).request
    assert (request.exit_bps, request.max_cost_bps, request.has_own_floor) == (None, 100, has_own_floor)
    assert (request.mint_in, request.mint_out, request.amount) == (REQUEST.mint_in, REQUEST.mint_out, 10**9)


def test_the_profit_of_an_oco_waits_for_its_price_again_after_a_failed_attempt() -> None:
    again = watched("take_profit", triggered_at=datetime(2026, 11, 27, tzinfo=UTC), parent_id=UUID(int=2))
    assert meets(again, [look(119), look(120)]) == [False, True]
