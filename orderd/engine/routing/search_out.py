"""The routes for an order that buys an exact amount: like ``search``, with the hops in the opposite sequence.

The last hop's legs buy the amount, to the base unit. If there are two hops, the first one buys the maximum input of the
second, also to the base unit: its quote plus half of the slippage. The unused rest stays in the wallet, and does not
count when routes are compared. Costs count at the route's own price.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from orderd.amm.purchase import best_purchase
from orderd.amm.side import Quote
from orderd.amm.split import Offers, Room, Split
from orderd.amm.swap import SwapError
from orderd.domain.quote import Hop, QuoteRequest, Route, second_hop_ceiling
from orderd.domain.tokens import Token
from orderd.engine.routing.search import MAX_LEGS, AnySearch, Candidate, curves_of, no_candidates
from orderd.engine.routing.space import UNITS_OF_SWAPS
from orderd.venues.base import OpenPool


class SearchOut(AnySearch):
    """For an order that buys an exact amount."""

    def by_way_of(
        self, token: Token, first: Sequence[OpenPool], second: Sequence[OpenPool], rent: int
    ) -> Iterator[Candidate]:
        units = UNITS_OF_SWAPS - min(pool.units for pool in first)
        found = False
        for rest in map(Hop, self._distinct(second, self._amount, MAX_LEGS - 1, self._cost, units)):
            most = second_hop_ceiling(rest.amount_in, self._slippage_bps)
            left = UNITS_OF_SWAPS - sum(leg.compute_units for leg in rest.legs)
            # The cost of a leg is known in the bought token, so it is applied when whole routes are compared.
            for start in self._distinct(first, most, MAX_LEGS - len(rest.legs), 0, left, rest.price_impact_bps):
                is_pair = len(start) == len(rest.legs) == 1
                others = partial(self._pairs, token, first, second, rent) if is_pair else no_candidates
                found = True
                yield self._candidate(others, token, Route((Hop(start), rest)), rent=rent)
        if not found:  # The routes that do not fit show why.
            yield from self._pairs(token, first, second, rent)

    def is_better(self, less: Split, chosen: Candidate) -> bool:  # noqa: ARG002  (a part is not what was asked for)
        return False

    def describe_part(self, less: Split, request: QuoteRequest) -> str:
        return f"{request.describe(less.amount_out)} can be bought"

    def _shared(self, pools: Sequence[OpenPool], amount: int, max_legs: int, cost_per_leg: int, room: Room) -> Offers:
        sides, curves = [pool.side for pool in pools], curves_of(pools)
        return best_purchase(sides, amount, max_legs=max_legs, cost_per_leg=cost_per_leg, room=room, curve_of=curves)

    def _worth(self, route: Route, costs: int) -> int:
        return -route.amount_in * (self._amount + costs) // self._amount

    def _pairs(
        self, token: Token, first: Sequence[OpenPool], second: Sequence[OpenPool], rent: int
    ) -> Iterator[Candidate]:
        for rest in second:
            paid = cost_of(rest, self._amount)
            if paid is None:
                continue
            most = second_hop_ceiling(paid.amount_in, self._slippage_bps)
            for start in first:
                bought = cost_of(start, most)
                if bought is not None:
                    hops = Hop((start.venue_quote(bought),)), Hop((rest.venue_quote(paid),))
                    yield self._candidate(no_candidates, token, Route(hops), rent=rent)


def cost_of(pool: OpenPool, amount_out: int) -> Quote | None:
    try:
        return pool.side.quote_out(amount_out)
    except SwapError:
        return None
