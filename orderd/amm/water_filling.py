"""Finds the best shares of given legs in one amount: as in water filling, all legs end at one level, the s of
``curve``.

Two limits may prevent that. First, a transaction has a limit of compute units, of which each crossed tick or bin takes
some. So each leg gets a reach, a number of its segments, and the best reaches are searched. Second, the price impact of
a route is limited. With r as a leg's initial price, depth costs the leg x - out / r of its input x. The output is
maximal, with at most the fraction m of the input lost, if for some k all legs are at one level of

    out'(x) * (1 + k / r),    which nowhere is below k * (1 - m)

(Lagrange): for k = 0 the level of prices, and for a large k the level of prices relative to each leg's initial price.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from math import isqrt
from typing import Final, NamedTuple

from orderd.amm.curve import NEVER, ONE, PRECISION, Curve, value_at
from orderd.amm.level import level_of
from orderd.amm.swap import U64_MAX

MILLION: Final = 10**6

_TILT_BITS: Final = 12
_STRIDES: Final = 20
"""Number of reaches tried at first, and then around the best of them."""


class Load(NamedTuple):
    """The compute units of a leg: ``units``, and ``per_step`` for each tick or bin that it crosses."""

    units: int = 0
    per_step: int = 0

    def of(self, steps: int) -> int:
        return self.units + self.per_step * steps


class Share(NamedTuple):
    """The input and output of a leg, in base units."""

    amount_in: int
    amount_out: int


Shares = dict[int, Share]
"""Shares by the position of the leg; legs without a share are missing."""


class Filling(NamedTuple):
    """The shares of the legs; ``whole`` if they take the whole amount."""

    shares: Shares
    whole: bool
    reaches: Mapping[int, int]

    @property
    def paid(self) -> int:
        return sum(share.amount_out for share in self.shares.values())


class WaterFilling:
    """Water filling of one amount, with the pools' curves by position and the limit of compute units."""

    def __init__(self, curves: Mapping[int, Curve], amount: int, loads: Sequence[Load], units: int) -> None:
        self.curves = curves
        self.amount = amount
        self.loads = loads
        self.units = units

    def best(self, legs: Sequence[int]) -> Filling:
        """The best shares of these legs in the amount, or in the part that they can take.

        There must be enough units for all legs without crossings.
        """
        filling = self._level_with(legs, {})
        left = self.units - sum(self.loads[leg].units for leg in legs)
        if sum(self._units_of_steps(leg, share.amount_in) for leg, share in filling.shares.items()) <= left:
            return filling
        return self._within(legs, [leg for leg in legs if self.loads[leg].per_step], {}, left)

    def gentle(self, legs: Sequence[int], reaches: Mapping[int, int], lost: int, *, entire: bool = False) -> Filling:
        """The most that these legs pay where depth may cost no more than ``lost`` millionths of what they take.

        If that has to be the ``entire`` amount, depth may cost more where these legs cannot take it for less.
        """
        low, high = 0, 1 << _TILT_BITS
        most_lost = MILLION if entire else lost

        @cache
        def tilted(tilt: int) -> Shares:
            return self._tilted(legs, reaches, tilt, most_lost).shares

        while high - low > 1:
            middle = (low + high) // 2
            if self._excess(tilted(middle), lost) <= 0:
                high = middle
            else:
                low = middle
        shares = self._between(tilted(high), tilted(low), lost)
        return Filling(shares, sum(share.amount_in for share in shares.values()) == self.amount, reaches)

    def _between(self, gentle: Shares, steep: Shares, lost: int) -> Shares:
        """The best mixture of two fillings that differ in amounts sold at one price: as much of these as the impact
        allows.

        First the gentle one is increased until the whole amount is used, then other shares are replaced.
        """
        left = self.amount - sum(share.amount_in for share in gentle.values())
        more = {leg: share for leg, share in steep.items() if share.amount_in > _share(gentle, leg).amount_in}
        added = sum(share.amount_in - _share(gentle, leg).amount_in for leg, share in more.items())
        full = _mixed(gentle, {**gentle, **more}, min(left, added), added)
        gentle, steep = (full, steep) if self._excess(full, lost) <= 0 else (gentle, full)
        spare, excess = -self._excess(gentle, lost), self._excess(steep, lost)
        return _mixed(gentle, steep, spare, spare + excess) if excess > 0 else steep

    def _units_of_steps(self, leg: int, amount_in: int) -> int:
        per_step = self.loads[leg].per_step
        return per_step * self.curves[leg].steps(amount_in) if per_step else 0

    def _within(self, legs: Sequence[int], stepping: Sequence[int], reaches: Mapping[int, int], left: int) -> Filling:
        """The filling with the best reaches of the stepping legs within the remaining units."""
        leg, *others = stepping
        curve, per_step = self.curves[leg], self.loads[leg].per_step
        most = left // per_step
        if not others:
            return self._level_with(legs, {**reaches, leg: curve.reach(most)})
        known: dict[int, Filling] = {}

        def with_steps(steps: int) -> Filling:
            if steps not in known:
                own = {**reaches, leg: curve.reach(steps)}
                known[steps] = self._within(legs, others, own, left - per_step * steps)
            return known[steps]

        # Steps are not equally wide, so the output can have several maxima: the whole range is searched, in strides
        # that get

        # smaller around the best one.
        low, high, best = 0, most, 0
        while True:
            stride = max((high - low) // _STRIDES, 1)
            best = max([*range(low, high + 1, stride), high, best], key=lambda steps: with_steps(steps).paid)
            if stride == 1:
                return with_steps(best)
            low, high = max(best - stride, low), min(best + stride, high)

    def _tilted(self, legs: Sequence[int], reaches: Mapping[int, int], tilt: int, lost: int) -> Filling:
        """The filling at one level of a measure that weighs relative prices by ``tilt`` / 2 ** ``_TILT_BITS``."""
        whole = 1 << _TILT_BITS
        best = min(self.curves[leg].start for leg in legs)
        one = whole * best * best
        measures = [
            isqrt((((whole - tilt) * best * best + tilt * self.curves[leg].start ** 2) << 2 * PRECISION) // one)
            for leg in legs
        ]
        kept = MILLION - lost
        end = isqrt(one * MILLION // (tilt * kept)) if tilt and kept else NEVER
        return self._level_with(legs, reaches, measures, end)

    def _level_with(
        self,
        legs: Sequence[int],
        reaches: Mapping[int, int],
        measures: Sequence[int] | None = None,
        end: int = NEVER,
    ) -> Filling:
        """The filling with all legs at one level, each in its own measure of s, not beyond ``end``."""
        cups = [
            (self.curves[leg], reaches.get(leg, U64_MAX), measure)
            for leg, measure in zip(legs, measures or [ONE] * len(legs), strict=True)
        ]

        def taken(s: int) -> int:
            total = 0  # a loop costs less than a generator here, where most of the time of a search goes
            for curve, reach, measure in cups:
                total += curve.taken(s * measure >> PRECISION, reach)
            return total

        lowest = min(curve.start * ONE // measure for curve, _, measure in cups)
        below, above = level_of(taken, lowest, self.amount, end)
        lower = [curve.at(below * measure >> PRECISION, reach) for curve, reach, measure in cups]
        left = self.amount - sum(amount for amount, _ in lower)
        shares: Shares = {}
        for leg, (curve, reach, measure), (amount, paid) in zip(legs, cups, lower, strict=True):
            top = above * measure >> PRECISION
            more = min(curve.taken(top, reach) - amount, left)
            left -= more
            if amount + more:
                shares[leg] = Share(amount + more, paid + value_at(more, top))
        return Filling(shares, left == 0, reaches)

    def _excess(self, shares: Shares, lost: int) -> int:
        """The price impact above ``lost`` millionths of the input, in millionths of a base unit; negative if below."""
        taken = sum(share.amount_in for share in shares.values())
        worth = sum(share.amount_out * self.curves[leg].start ** 2 >> 2 * PRECISION for leg, share in shares.items())
        return (taken - worth) * MILLION - taken * lost


def _share(shares: Shares, leg: int) -> Share:
    return shares.get(leg, Share(0, 0))


def _mixed(shares: Shares, others: Shares, part: int, whole: int) -> Shares:
    """The shares at ``part`` / ``whole`` of the way from one to the other; the rounding rest goes to the largest
    leg."""
    if shares == others:
        return shares
    mixed: Shares = {}
    for leg in {**shares, **others}:
        (amount_in, amount_out), other = _share(shares, leg), _share(others, leg)
        mixed[leg] = Share(
            amount_in + (other.amount_in - amount_in) * part // whole,
            amount_out + (other.amount_out - amount_out) * part // whole,
        )
    total, other_total = (sum(share.amount_in for share in each.values()) for each in (shares, others))
    rounded = total + (other_total - total) * part // whole - sum(share.amount_in for share in mixed.values())
    most = max(mixed, key=lambda leg: mixed[leg].amount_in)
    mixed[most] = Share(mixed[most].amount_in + rounded, mixed[most].amount_out)
    return {leg: share for leg, share in mixed.items() if share.amount_in}
