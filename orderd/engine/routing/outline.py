"""A summary of a pair's market without a route search: whether it has moved, and an upper bound on any route's
output."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from orderd.amm.side import Rates
from orderd.amm.swap import SwapError
from orderd.venues.base import OpenPool

Way = tuple[Sequence[OpenPool], ...]
"""The pools of each of its hops."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """``best_rate`` is the output for a first unit after fees on the best way, in base units, which is an upper bound
    of the average for any amount and split; None if a pool has no rate. ``given_up`` is the maximum by which the best
    route's output may be below that of a more expensive route, or below what a larger amount would get for its part,
    in base units. ``slot`` is the lowest slot of the pools.
    """

    pools: tuple[tuple[object, Rates | None], ...]
    best_rate: Fraction | None
    given_up: int
    slot: int

    @property
    def is_searched(self) -> bool:
        """Whether a route is searched for among several pools; a single pool pays what its maths says."""
        return len(self.pools) > 1

    def is_as(self, other: "Outline") -> bool:
        """Whether all is as it was: the pools, their fees, which may change with time alone, and what ways cost."""
        return (self.given_up, len(self.pools)) == (other.given_up, len(other.pools)) and all(
            one is another and rates == others
            for (one, rates), (another, others) in zip(self.pools, other.pools, strict=True)
        )


def outline(ways: Sequence[Way], given_up: int) -> Outline:
    """The outline of a market with these ways; ways without pools for a hop are ignored."""
    ways = [way for way in ways if all(way)]
    rated = {id(pool): (pool, _rates(pool)) for way in ways for hop in way for pool in hop}
    paid = {key: None if rates is None else _best_rate(rates) for key, (_, rates) in rated.items()}
    states = tuple((pool.read_as, rates) for pool, rates in rated.values())
    slot = min((pool.slot for pool, _ in rated.values()), default=0)
    if None in paid.values():
        return Outline(states, None, given_up, slot)

    def best(way: Way) -> Fraction:
        rate = Fraction(1)
        for hop in way:
            rate *= _highest(paid[id(pool)] for pool in hop)
        return rate

    def bounded_fees(way: Way) -> int:
        """The most that fees with a maximum take, in base units of the output, if all pools share the order."""
        taken = Fraction(0)
        for hop in way:
            known = (rates for pool in hop if (rates := rated[id(pool)][1]) is not None)
            taken = taken * _highest(paid[id(pool)] for pool in hop) + sum(rates.maximum for rates in known)
        return ceil(taken)

    given_up += max(map(bounded_fees, ways), default=0)
    return Outline(states, _highest(best(way) for way in ways), given_up, slot)


def _best_rate(rates: Rates) -> Fraction:
    """The output for one unit of an amount for which fees with a maximum do not matter."""
    return rates.spot * (1 - rates.fee + rates.bounded_fee)


def _highest(rates: "Iterable[Fraction | None]") -> Fraction:
    return max((each for each in rates if each is not None), default=Fraction(0))


def _rates(pool: OpenPool) -> Rates | None:
    try:
        return pool.side.rates()
    except SwapError:
        return None
