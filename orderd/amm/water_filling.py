"""How given legs share one amount best: it is poured in like water until all stand at one level, s of ``curve``.

Two limits may keep legs from it. A transaction has so many compute units, of which each tick or bin that a leg crosses
takes some: so each leg gets a reach, a number of its segments, and the best reaches are searched for. And depth may
cost a route only so much. With r a leg's price at its beginning, depth costs it x - out / r of its input x. The most is
received, and no more than the part m of the input lost, where for some k the legs stand at one level of

    out'(x) * (1 + k / r),    which nowhere is below k * (1 - m)

(Lagrange): at k = 0 the level of prices, and for a large k that of prices relative to where each of them began.
"""

from collections.abc import Callable, Mapping, Sequence
from math import isqrt
from typing import Final, NamedTuple

from orderd.amm.curve import NEVER, ONE, PRECISION, Curve, value_at
from orderd.amm.swap import U64_MAX

MILLION: Final = 10**6

_LEVEL_BITS: Final = 24
"""How close the level is found. What it misses is spread at a price that is 2 ** -23 off, so it costs a millionth of
a basis point."""
_TILT_BITS: Final = 12
_STRIDES: Final = 20
"""So many reaches are tried at first, and around the best of them."""


class Load(NamedTuple):
    """What a leg takes of a transaction's compute units: ``units``, and ``per_step`` for each tick or bin that it
    crosses."""

    units: int = 0
    per_step: int = 0

    def of(self, steps: int) -> int:
        return self.units + self.per_step * steps


class Share(NamedTuple):
    """What a leg takes, and what it pays for that; base units."""

    amount_in: int
    amount_out: int


Shares = dict[int, Share]
"""By the positions of the legs that take something."""


class Filling(NamedTuple):
    """The shares of the legs; ``whole`` where nothing of the amount is left."""

    shares: Shares
    whole: bool
    reaches: Mapping[int, int]

    @property
    def paid(self) -> int:
        return sum(share.amount_out for share in self.shares.values())


class FillLevel(NamedTuple):
    """Less than the amount is taken at ``below``, all of it at ``above``; both are very near to each other."""

    below: int
    above: int


class WaterFilling:
    """One amount, the curves of the pools by position, and the compute units that all legs may take."""

    def __init__(self, curves: Mapping[int, Curve], amount: int, loads: Sequence[Load], units: int) -> None:
        self.curves = curves
        self.amount = amount
        self.loads = loads
        self.units = units

    def best(self, legs: Sequence[int]) -> Filling:
        """The most that these legs pay for the amount or, where they cannot take it all, for what they can take.

        There are units for all of them, as long as they cross nothing.
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
        while high - low > 1:
            middle = (low + high) // 2
            if self._excess(self._tilted(legs, reaches, middle, most_lost).shares, lost) <= 0:
                high = middle
            else:
                low = middle
        shares = self._between(
            self._tilted(legs, reaches, high, most_lost).shares,
            self._tilted(legs, reaches, low, most_lost).shares,
            lost,
        )
        return Filling(shares, sum(share.amount_in for share in shares.values()) == self.amount, reaches)

    def _between(self, gentle: Shares, steep: Shares, lost: int) -> Shares:
        """The best shares between two that differ by what is sold at one price: as much of it as depth allows.

        First the gentle ones are given more of it until nothing is left of the amount, then others give way to it.
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
        """With the best reaches of the stepping legs among those that take no more than the units that are left."""
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

        # As steps are not equally wide, what is paid can have several peaks: all of the range is looked at, in strides
        # that get smaller around the best of them.
        low, high, best = 0, most, 0
        while True:
            stride = max((high - low) // _STRIDES, 1)
            best = max([*range(low, high + 1, stride), high, best], key=lambda steps: with_steps(steps).paid)
            if stride == 1:
                return with_steps(best)
            low, high = max(best - stride, low), min(best + stride, high)

    def _tilted(self, legs: Sequence[int], reaches: Mapping[int, int], tilt: int, lost: int) -> Filling:
        """Level with each other in a measure of which ``tilt`` parts of 2 ** ``_TILT_BITS`` are relative prices."""
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
        """All legs at one level, each in its own measure of s; none goes beyond ``end``."""
        cups = [
            (self.curves[leg], reaches.get(leg, U64_MAX), measure)
            for leg, measure in zip(legs, measures or [ONE] * len(legs), strict=True)
        ]

        def taken(s: int) -> int:
            return sum(curve.at(s * measure >> PRECISION, reach)[0] for curve, reach, measure in cups)

        lowest = min(curve.start * ONE // measure for curve, _, measure in cups)
        below, above = level_of(taken, lowest, self.amount, end)
        lower = [curve.at(below * measure >> PRECISION, reach) for curve, reach, measure in cups]
        left = self.amount - sum(amount for amount, _ in lower)
        shares: Shares = {}
        for leg, (curve, reach, measure), (amount, paid) in zip(legs, cups, lower, strict=True):
            top = above * measure >> PRECISION
            more = min(curve.at(top, reach)[0] - amount, left)
            left -= more
            if amount + more:
                shares[leg] = Share(amount + more, paid + value_at(more, top))
        return Filling(shares, left == 0, reaches)

    def _excess(self, shares: Shares, lost: int) -> int:
        """What depth costs above ``lost`` millionths of what is taken, in millionths of a base unit; negative below."""
        taken = sum(share.amount_in for share in shares.values())
        worth = sum(share.amount_out * self.curves[leg].start ** 2 >> 2 * PRECISION for leg, share in shares.items())
        return (taken - worth) * MILLION - taken * lost


def _share(shares: Shares, leg: int) -> Share:
    return shares.get(leg, Share(0, 0))


def _mixed(shares: Shares, others: Shares, part: int, whole: int) -> Shares:
    """So much from one to the other; what rounding leaves goes to the leg that takes the most."""
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


def level_of(taken: Callable[[int], int], lowest: int, amount: int, end: int = NEVER) -> FillLevel:
    """Where ``taken``, which rises with s from ``lowest`` on, reaches ``amount``; ``end`` where that is beyond."""
    below, step = lowest, (lowest >> 7) + 1
    above = below + step
    while taken(above) < amount:
        if above >= end:
            return FillLevel(end, end)
        step *= 2
        below, above = above, above + step
    if above > end and taken(end) < amount:
        return FillLevel(end, end)
    while above - below > (above >> _LEVEL_BITS):
        middle = (below + above) // 2
        if taken(middle) < amount:
            below = middle
        else:
            above = middle
    return FillLevel(below, above)
