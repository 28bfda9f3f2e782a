"""Refuses a route's price if it is much worse than the pair's last price and some of the pools are missing.

Slippage is measured from the quote, so it does not protect against a quote that is bad itself.

While all pools of a pair answer, the best of them is the market, however far it has moved. Pools are missing if their
venue is down, they were closed or the node has lost them. The remaining pools may be unused ones, with any price. So
the price of the last route is kept together with the pools it was found among (the reference). A route is compared with
it only while one of these pools is missing, and the reference does not change in that time: otherwise many orders could
follow a falling price, one step each. A reference expires after ``MAX_AGE_SECONDS``, and a pool that the chain no
longer has is not missing.

If there is no reference, because the pair was not traded lately, and a known pool does not answer, the right price is
unknown: the order has to wait, unless the trader has given a minimum. Its price does not become a reference. A pair
with a single pool has no missing pools.

Missing pools count for as much as they could have taken at the reference price. Otherwise anybody could stop a pair
with a pool that holds next to nothing, pays much and is then emptied.

A reference needs a price that can be traded at: if a pool's program refuses the swap, ``distrust`` drops it. Otherwise
a pool that quotes much and refuses every swap would stop the other pools.
"""

import time
from collections.abc import Callable, Collection, Iterable, Set
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from db.prices import PastRoute
from orderd.amm.swap import U64_MAX
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.frozen import dataclass
from orderd.domain.money import BPS
from orderd.domain.quote import Route, VenueQuote

MAX_AGE_SECONDS: Final = 300.0
"""Older prices say little about the current market."""

Pair = tuple[str, str]
Recall = Callable[[str, str, float], PastRoute | None]
"""The stored last route of a pair, also of other processes, if it is not older than this many seconds."""
DepthOf = Callable[[str], int]
"""How much a pool takes at about its price, in base units of what the route sells; a large number if unknown."""


def _unknown_depth(_: str) -> int:
    return U64_MAX


@dataclass(frozen=True, slots=True)
class _Reference:
    """The last price of a pair: ``amounts`` sold and bought in base units, and the price impact in them.

    ``observed_at`` is on the monotonic clock. The route was found among ``pools``, whose depth was ``depth_of``, and
    traded in ``legs``. ``before`` is the last reference that had none of these legs.
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
        """Base units bought per base unit sold, without price impact."""
        return _price(*self.amounts, self.price_impact_bps)


class PriceGuard:
    """Keeps the last price of each pair. Thread-safe."""

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
        """Compare a route, found among ``quotes``, with the reference, and make it the reference if no pool is missing.

        ``present`` are the pools that have answered, with their depth in ``depth_of``; ``silent`` are known pools that
        have not. ``listed`` are the pools that the chain has, None if unknown. An order that ``has_own_floor`` needs no
        reference. ``max_deviation_bps`` replaces the configured limit.

        Raises OrderdError ROUTE_PRICE_DEVIATION if pools are missing and the price is too far below the reference,
        ROUTE_PRICE_UNKNOWN if pools are silent and there is no reference.
        """
        limit_bps = self._max_deviation_bps if max_deviation_bps is None else max_deviation_bps
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
                    f"{MAX_AGE_SECONDS:.0f} seconds shows what the best remaining route should pay",
                )
            return
        if last is not None and (missing := _missing(last.pools, present, listed)):
            # Rounding is not a deviation.
            price = _price(route.amount_in, route.amount_out + 1, route.price_impact_bps)
            could_take = min(sum(map(last.depth_of, missing)), route.amount_in)
            if price * route.amount_in * BPS < last.price * could_take * (BPS - limit_bps):
                below = int((1 - price / last.price) * BPS)
                raise OrderdError(
                    ErrorCode.ROUTE_PRICE_DEVIATION,
                    f"the best route pays {below} basis points less than the last one did, the limit is "
                    f"{limit_bps}; of the pools of that time {_few(missing)} did not answer",
                )
            return
        before = None
        if last is not None:
            before = replace(last, before=None) if last.legs.isdisjoint(legs) else last.before
        self._references[pair] = _Reference(
            (route.amount_in, route.amount_out), route.price_impact_bps, pools, self._clock(), legs, depth_of, before
        )

    def distrust(self, pool: str) -> None:
        """Return to the reference before, for each pair whose last route traded in this pool."""
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
