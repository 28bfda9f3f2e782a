"""A bound on an order's price while pools are missing: slippage is measured from the quote alone.

While all pools of a pair answer, the best of them is the market, however far it has moved. If some are missing, because
their venue is down, they were closed or the node has lost them, the rest may be pools without trading, at any price. So
the price of the last route is kept with the pools it was found among, and only if one of these is missing, a price that
is much worse than that one is refused. While it is missing the kept price does not change: otherwise many orders would
follow the rest down, one step each. It ends when it is old, or when the chain no longer has the pool.

If there is no such price, because the pair was not traded lately, and a known pool does not answer, it is not known
what the others should pay: an order has to wait, unless the trader has given a minimum. What that order is paid is not
a price for others. A pair with a single pool has its market there: none is missing.

Missing pools count for as much as they could have taken at the price of then. Otherwise anybody could stop a pair by
a pool that holds next to nothing, pays much and is then emptied.

A price counts only if it can be traded at: if a pool's program refuses the swap, its quote is dropped again. Otherwise
a pool that promises much and does nothing would keep all others from trading.
"""

import time
from collections.abc import Callable, Collection, Iterable, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from db.prices import PastRoute
from orderd.amm.swap import U64_MAX
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import BPS
from orderd.domain.quote import Route, VenueQuote

MAX_AGE_SECONDS: Final = 300.0
"""A price that is older says little about the market of now."""

Pair = tuple[str, str]
Recall = Callable[[str, str, float], PastRoute | None]
"""The last route of a pair from before this process started, if it is not older than this many seconds."""
DepthOf = Callable[[str], int]
"""How much a pool takes at about its price, in base units of what the route sells; a large number if unknown."""


def _unknown_depth(_: str) -> int:
    return U64_MAX


@dataclass(frozen=True, slots=True)
class _Reference:
    """What was sold and bought, and what depth cost of that; ``observed_at`` on the monotonic clock.

    Found among ``pools``, which then took as much as ``depth_of`` says, paid by those of ``legs``; ``before`` is the
    last one that others paid.
    """

    amounts: tuple[int, int]
    price_impact_bps: Decimal
    pools: frozenset[str]
    observed_at: float
    legs: frozenset[str]
    depth_of: DepthOf = _unknown_depth
    before: "_Reference | None" = None

    @property
    def price(self) -> Fraction:
        """Base units bought for one that is sold, what depth costs not counted."""
        return _price(*self.amounts, self.price_impact_bps)


class PriceGuard:
    """Knows the last price of each pair. Thread-safe."""

    def __init__(
        self, max_deviation_bps: int, recall: Recall | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_deviation_bps = max_deviation_bps
        self._recall = recall
        self._clock = clock
        self._references: dict[Pair, _Reference | None] = {}

    def check(
        self,
        route: Route,
        quotes: Iterable[VenueQuote],
        present: Set[str],
        listed: Set[str] | None = None,
        silent: Collection[str] = (),
        *,
        has_own_floor: bool = False,
        max_deviation_bps: int | None = None,
        depth_of: DepthOf = _unknown_depth,
    ) -> None:
        """Keep the price of a route that was found among ``quotes``, when the pools ``present`` have answered.

        ``listed`` are the pools that the chain has; None if that is not known. ``silent`` are known pools that did not
        answer, ``depth_of`` tells of those that did. An order that ``has_own_floor`` needs no price to compare with.
        ``max_deviation_bps`` replaces the usual one.

        Raises OrderdError ROUTE_PRICE_DEVIATION if pools are missing and the price is too far below the last one,
        ROUTE_PRICE_UNKNOWN if pools are silent and there is no last one.
        """
        most_bps = self._max_deviation_bps if max_deviation_bps is None else max_deviation_bps
        pair = (route.main.mint_in, route.hops[-1].mint_out)
        legs = frozenset(leg.pool for leg in route.legs)
        pools = legs | {quote.pool for quote in quotes}
        last = self._last(pair)
        if last is None and silent:
            last = self._recalled(pair)  # another process may have traded meanwhile
        if last is None and silent:
            if not has_own_floor:
                raise OrderdError(
                    ErrorCode.ROUTE_PRICE_UNKNOWN,
                    f"of the pair's pools {_few(silent)} did not answer, and no order of the last "
                    f"{MAX_AGE_SECONDS:.0f} seconds tells what the best route that is left should pay",
                )
            return
        if last is not None and (missing := _missing(last.pools, present, listed)):
            # Rounding is not a deviation.
            price = _price(route.amount_in, route.amount_out + 1, route.price_impact_bps)
            could_take = min(sum(map(last.depth_of, missing)), route.amount_in)
            if price * route.amount_in * BPS < last.price * could_take * (BPS - most_bps):
                below = int((1 - price / last.price) * BPS)
                raise OrderdError(
                    ErrorCode.ROUTE_PRICE_DEVIATION,
                    f"the best route pays {below} basis points less than the last one did, the limit is "
                    f"{most_bps}; of the pools of then {_few(missing)} did not answer",
                )
            return
        before = None
        if last is not None:
            before = replace(last, before=None) if last.legs.isdisjoint(legs) else last.before
        self._references[pair] = _Reference(
            (route.amount_in, route.amount_out), route.price_impact_bps, pools, self._clock(), legs, depth_of, before
        )

    def distrust(self, pool: str) -> None:
        """Go by what others paid before, wherever this pool has a part in the last price."""
        for pair, last in list(self._references.items()):
            if last is not None and pool in last.legs:
                before = last.before
                self._references[pair] = None if before is None or pool in before.legs else before

    def _last(self, pair: Pair) -> _Reference | None:
        if pair not in self._references:
            self._references[pair] = self._recalled(pair)
        last = self._references[pair]
        return last if last is not None and self._clock() - last.observed_at <= MAX_AGE_SECONDS else None

    def _recalled(self, pair: Pair) -> _Reference | None:
        past = None if self._recall is None else self._recall(*pair, MAX_AGE_SECONDS)
        if past is None:
            return None
        impact = Decimal(past.price_impact_bps)
        return _Reference((past.amount_in, past.amount_out), impact, past.pools, self._clock() - past.age, past.pools)


def _missing(pools: frozenset[str], present: Set[str], listed: Set[str] | None) -> frozenset[str]:
    missing = pools - present
    return missing if listed is None else missing & listed


def _price(amount_in: int, amount_out: int, price_impact_bps: Decimal) -> Fraction:
    kept = BPS - Fraction(min(price_impact_bps, Decimal(BPS - 1)))
    return Fraction(amount_out, amount_in) * BPS / kept


def _few(pools: Collection[str]) -> str:
    first, *others = sorted(pools)
    return f"{first} and {len(others)} more" if others else first
