"""The minimum amount out of an order: its source, its persistence over attempts, and a missing market price."""

from typing import Final

from tests.mutants.mutant import Mutant

_FLOOR: Final = "tests/integration/engine/test_floor.py::"
_CEILING: Final = "tests/integration/engine/test_ceiling.py::"
_GUARD: Final = "tests/unit/engine/test_price_guard.py::"
_QUESTIONS: Final = "tests/unit/orderctl/test_many.py::TestQuestions::"

MUTANTS: Final = (
    Mutant(
        "floor-anew-in-each-attempt",
        10,
        "orderd/engine/execution/turn.py",
        "offer_of(terms, decision, order.min_amount_out, order.max_amount_in)",
        "offer_of(terms, decision, None, order.max_amount_in)",
        (
            f"{_FLOOR}test_a_later_attempt_keeps_the_minimum_of_the_first",
            f"{_FLOOR}test_a_rolled_back_order_is_executed_again_with_the_same_minimum",
        ),
        "A falling market takes the slippage anew with each attempt.",
    ),
    Mutant(
        "floor-anew-with-each-route",
        10,
        "orderd/engine/execution/turn.py",
        "            work.order = written.order\n",
        "",
        (f"{_FLOOR}test_a_new_route_in_the_same_attempt_keeps_the_minimum",),
        "One pool that refuses makes an order take whatever the others pay.",
    ),
    Mutant(
        "route-below-the-floor",
        10,
        "orderd/engine/execution/turn.py",
        "        check_offer(terms, decision.route, offer)\n",
        "",
        (f"{_FLOOR}test_a_route_below_the_first_minimum_is_a_failed_attempt",),
        "A transaction that can only fail is signed, sent and paid for.",
    ),
    Mutant(
        "own-minimum-left-out",
        10,
        "orderd/engine/routing/floor.py",
        "terms.slippage_bps), terms.min_out or 0)",
        "terms.slippage_bps), 0)",
        (f"{_FLOOR}test_no_attempt_accepts_less_than_the_orders_own_minimum",),
        "Who says what he accepts at least is sold below it.",
    ),
    Mutant(
        "ceiling-anew-in-each-attempt",
        10,
        "orderd/engine/execution/turn.py",
        "offer_of(terms, decision, order.min_amount_out, order.max_amount_in)",
        "offer_of(terms, decision, order.min_amount_out)",
        (
            f"{_CEILING}test_a_later_attempt_keeps_the_maximum_of_the_first",
            f"{_CEILING}test_a_rolled_back_order_is_executed_again_with_the_same_maximum",
        ),
        "A rising market takes the slippage anew with each attempt.",
    ),
    Mutant(
        "route-above-the-ceiling",
        10,
        "orderd/engine/routing/offers.py",
        "        check_ceiling(terms, route, offer.max_amount_in, offer.refusals)\n",
        "        pass\n",
        (f"{_CEILING}test_a_route_above_the_first_maximum_is_a_failed_attempt",),
        "A transaction that can only fail is signed, sent and paid for.",
    ),
    Mutant(
        "own-maximum-left-out",
        10,
        "orderd/engine/routing/ceiling.py",
        "return ceiling if terms.max_in is None else min(ceiling, terms.max_in)",
        "return ceiling",
        (f"{_CEILING}test_no_attempt_pays_more_than_the_orders_own_maximum",),
        "Who says what he pays at most pays more.",
    ),
    Mutant(
        "legs-take-each-the-whole",
        10,
        "orderd/domain/quote.py",
        "return [ceiling * leg.amount_in // self.amount_in for leg in self.legs]",
        "return [ceiling for leg in self.legs]",
        (
            "tests/unit/domain/test_quote.py::test_each_leg_has_its_part_of_the_maximum_and_the_second_hop_what_the_first_"
            "bought",
        ),
        "A purchase over three pools may cost three times what was agreed.",
    ),
    Mutant(
        "parts-that-do-not-add-up",
        10,
        "orderd/amm/purchase.py",
        "last: _cost_of(sides[last], left)}",
        "last: _cost_of(sides[last], parts[last])}",
        ("tests/unit/amm/test_purchase.py::test_a_leg_whose_pool_refuses_its_part_buys_slightly_less",),
        "Who buys an exact amount gets a little less.",
    ),
    Mutant(
        "own-cost-limit-left-out",
        10,
        "orderd/engine/routing/router.py",
        "min(self._max_total_cost_bps, request.max_cost_bps)",
        "self._max_total_cost_bps",
        ("tests/unit/engine/test_silent_pools.py::test_an_order_may_lower_its_maximum_cost",),
        "Who says what an order may cost at most pays more.",
    ),
    Mutant(
        "any-price-where-pools-are-silent",
        10,
        "orderd/engine/routing/price_guard.py",
        "            if not has_own_floor:\n",
        "            if has_own_floor:\n",
        (f"{_GUARD}test_a_silent_known_pool_leaves_no_price_without_a_history",),
        "While the deep pool is away, the first order of a pair is sold at whatever a junk pool pays.",
    ),
    Mutant(
        "price-of-who-needs-none",
        10,
        "orderd/engine/routing/price_guard.py",
        "            return\n        if last is not None and (",
        "        if last is not None and (",
        (f"{_GUARD}test_an_order_with_its_own_minimum_needs_and_sets_no_reference",),
        "One order that takes any price makes it the market of all others.",
    ),
    Mutant(
        "promise-of-the-prompt-not-sent",
        10,
        "orderctl/trading/placing.py",
        "return order.model_copy(update=promised(quote))",
        "return order",
        (f"{_QUESTIONS}test_an_order_on_a_real_chain_is_confirmed_with_its_prices",),
        "The trader agrees to one minimum, and the order is traded at another.",
    ),
)
