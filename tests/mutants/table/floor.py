"""The minimum amount out of an order: its source, its persistence over attempts, and a missing market price."""

from typing import Final

from tests.mutants.mutant import Mutant

_FLOOR: Final = "tests/integration/engine/test_floor.py::"
_CEILING: Final = "tests/integration/engine/test_ceiling.py::"
_GUARD: Final = "tests/unit/engine/test_price_guard.py::"
_QUESTIONS: Final = "tests/unit/orderctl/test_many.py::TestQuestions::"

MUTANTS: Final = (
    Mutant(
        "new-minimum-in-each-attempt",
        10,
        "orderd/engine/execution/turn.py",
        "offer_of(terms, decision, order.min_amount_out, order.max_amount_in)",
        "offer_of(terms, decision, None, order.max_amount_in)",
        (
            f"{_FLOOR}test_a_later_attempt_keeps_the_minimum_of_the_first",
            f"{_FLOOR}test_a_rolled_back_order_is_executed_again_with_the_same_minimum",
        ),
        "In a falling market each attempt allows the slippage again.",
    ),
    Mutant(
        "new-minimum-with-each-route",
        10,
        "orderd/engine/execution/turn.py",
        "            work.order = written.order\n",
        "",
        (f"{_FLOOR}test_a_new_route_in_the_same_attempt_keeps_the_minimum",),
        "One refusing pool makes an order accept whatever the other pools pay.",
    ),
    Mutant(
        "route-below-the-minimum",
        10,
        "orderd/engine/execution/turn.py",
        "        check_offer(terms, decision.route, offer)\n",
        "",
        (f"{_FLOOR}test_a_route_below_the_first_minimum_is_a_failed_attempt",),
        "A transaction that can only fail is signed and sent, and its fee is paid.",
    ),
    Mutant(
        "own-minimum-ignored",
        10,
        "orderd/engine/routing/floor.py",
        "terms.slippage_bps), terms.min_out or 0)",
        "terms.slippage_bps), 0)",
        (f"{_FLOOR}test_no_attempt_accepts_less_than_the_orders_own_minimum",),
        "An order is sold below the minimum amount out that its terms state.",
    ),
    Mutant(
        "new-maximum-in-each-attempt",
        10,
        "orderd/engine/execution/turn.py",
        "offer_of(terms, decision, order.min_amount_out, order.max_amount_in)",
        "offer_of(terms, decision, order.min_amount_out)",
        (
            f"{_CEILING}test_a_later_attempt_keeps_the_maximum_of_the_first",
            f"{_CEILING}test_a_rolled_back_order_is_executed_again_with_the_same_maximum",
        ),
        "In a rising market each attempt allows the slippage again.",
    ),
    Mutant(
        "route-above-the-maximum",
        10,
        "orderd/engine/routing/offers.py",
        "        check_ceiling(terms, route, offer.max_amount_in, offer.refusals)\n",
        "        pass\n",
        (f"{_CEILING}test_a_route_above_the_first_maximum_is_a_failed_attempt",),
        "A transaction that can only fail is signed and sent, and its fee is paid.",
    ),
    Mutant(
        "own-maximum-ignored",
        10,
        "orderd/engine/routing/ceiling.py",
        "return ceiling if terms.max_in is None else min(ceiling, terms.max_in)",
        "return ceiling",
        (f"{_CEILING}test_no_attempt_pays_more_than_the_orders_own_maximum",),
        "A purchase pays more than the maximum amount in that its terms state.",
    ),
    Mutant(
        "purchase-beyond-what-was-counted",
        11,
        "orderd/gateway/rpc/order_entry.py",
        "spending=spending, bounded=bounded",
        "spending=spending",
        (
            "tests/integration/gateway/test_access.py::TestLimits::"
            "test_a_purchase_pays_no_more_than_its_limits_have_counted",
        ),
        "An API key buys a token whose price rises after the submission, and pays more than its allowance.",
    ),
    Mutant(
        "each-leg-has-the-whole-maximum",
        10,
        "orderd/domain/quote.py",
        "return [ceiling * leg.amount_in // self.amount_in for leg in self.legs]",
        "return [ceiling for leg in self.legs]",
        (
            "tests/unit/domain/test_quote.py::test_each_leg_has_its_part_of_the_maximum_and_the_second_hop_what_the_first_"
            "bought",
        ),
        "A purchase in three pools may cost three times the agreed maximum.",
    ),
    Mutant(
        "parts-do-not-add-up",
        10,
        "orderd/amm/purchase.py",
        "last: _cost_of(sides[last], left)}",
        "last: _cost_of(sides[last], parts[last])}",
        ("tests/unit/amm/test_purchase.py::test_a_leg_whose_pool_refuses_its_part_buys_slightly_less",),
        "A purchase of an exact amount receives slightly less.",
    ),
    Mutant(
        "own-cost-limit-ignored",
        10,
        "orderd/engine/routing/router.py",
        "min(self._max_total_cost_bps, request.max_cost_bps)",
        "self._max_total_cost_bps",
        ("tests/unit/engine/test_silent_pools.py::test_an_order_may_lower_its_maximum_cost",),
        "An order costs more than the maximum cost in its terms.",
    ),
    Mutant(
        "any-price-without-reference",
        10,
        "orderd/engine/routing/price_guard.py",
        "            if not has_own_floor:\n",
        "            if has_own_floor:\n",
        (f"{_GUARD}test_a_silent_known_pool_leaves_no_price_without_a_history",),
        "While the deep pool is unavailable, the first order of a pair is sold at any price.",
    ),
    Mutant(
        "reference-from-orders-with-own-minimum",
        10,
        "orderd/engine/routing/price_guard.py",
        "            return\n        if last is not None and (",
        "        if last is not None and (",
        (f"{_GUARD}test_an_order_with_its_own_minimum_needs_and_sets_no_reference",),
        "One order that accepts any price sets the reference price of all others.",
    ),
    Mutant(
        "prompted-minimum-not-sent",
        10,
        "orderctl/trading/placing.py",
        "return order.model_copy(update=promised(quote))",
        "return order",
        (f"{_QUESTIONS}test_an_order_on_a_real_chain_is_confirmed_with_its_prices",),
        "The trader confirms one minimum, and the order is traded with another.",
    ),
    Mutant(
        "floor-of-the-old-amount",
        10,
        "orderd/engine/amendment.py",
        "        if after != before:\n",
        "        if False:\n",
        ("tests/integration/engine/test_amendment.py::test_an_amended_order_has_no_floor_of_a_failed_attempt",),
        "Ten times the amount may be sold for the minimum of the old amount.",
    ),
)
