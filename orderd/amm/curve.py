"""A pool's curve in one direction: what each further base unit of input still pays.

Let s = 1 / sqrt(marginal price), the price in base units of output for one of input after fees. Where a pool follows
a constant product with virtual reserves R_in, R_out, keeping g of the input and h of the output after fees,

    s = (R_in + g * x) / sqrt(g * h * R_in * R_out)

for an input x: along such a segment the input grows linearly in s, and from s0 to s1 it pays x / (s0 * s1), since the
price paid on average is the geometric mean of the prices at both ends. A constant price is the segment whose ends are
one. So CPMM and AMM v4 are one segment, DAMM v2 is one that ends with its price range, CLMM has one for each stretch
between ticks and DLMM one for each bin, and all of them are split by the same arithmetic.

s is fixed-point with ``PRECISION`` fractional bits; amounts are base units. The curve finds a split; what the split
takes and pays is always computed by the pool's own integer swap.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from math import isqrt
from threading import Lock
from typing import Final, NamedTuple

from orderd.amm.fixed_point import Q64
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind

PRECISION: Final = 96
ONE: Final = 1 << PRECISION
NEVER: Final = ONE << 96
"""Beyond this s no pool has anything left to give: square-root prices have 64 bits before the point."""

_ROUNDED: Final = 2
"""What rounding can make of a segment's input, in base units, at most."""
_ONE_SQUARED: Final = 1 << 2 * PRECISION


class Segment(NamedTuple):
    """An input of ``amount_in``, fees included, moves s from ``start`` to ``end``; ``end`` is not below ``start``.

    A swap that ends in it has crossed ``steps`` ticks or bins.
    """

    start: int
    end: int
    amount_in: int
    steps: int = 0


def constant_product(reserve_in: int, reserve_out: int, kept_in: int, kept_out: int, amount_in: int) -> Segment:
    """Up to ``amount_in`` along a constant product; ``kept_*`` are what fees leave of the input and of the output,
    Q64.64.

    All but ``amount_in`` are above zero.
    """
    start = isqrt((reserve_in << 2 * PRECISION + 128) // (reserve_out * kept_in * kept_out))
    return Segment(start, start + start * kept_in * amount_in // (reserve_in << 64), amount_in)


def constant_price(numerator: int, denominator: int, amount_in: int, steps: int) -> Segment:
    """Up to ``amount_in`` at one price: ``numerator`` base units of output for ``denominator`` of input, after fees."""
    at = isqrt(_ONE_SQUARED * denominator // numerator)
    return Segment(at, at, amount_in, steps)


def kept(fee_rate: int, denominator: int) -> int:
    """What a fee leaves of an amount, Q64.64. Raises SwapError if it is less than nothing, or nothing."""
    left = (denominator - fee_rate) * Q64 // denominator if denominator else 0
    if left <= 0:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return left


def inverse_sqrt(kept_all: int) -> int:
    """1 / sqrt(kept_all) with ``PRECISION`` fractional bits, of what fees leave of an amount, Q64.64 and above zero."""
    return isqrt((Q64 << 2 * PRECISION) // kept_all)


def s_at(sqrt_price: int, scale: int, zero_for_one: bool) -> int:
    """s at a square-root price of token 1 per token 0 (Q64.64); fees make the ``scale``, by ``inverse_sqrt``."""
    return (scale << 64) // sqrt_price if zero_for_one else scale * sqrt_price >> 64


class Curve:
    """The segments of one pool up to ``limit`` of input and ``most_steps``; they are computed only as far as they are
    asked for.

    A ``reach`` is a number of segments: none beyond it is computed. Threads may share a curve: a segment counts once
    its start is in the list, which is when everything else of it is known.
    """

    __slots__ = ("_ends", "_ins", "_lock", "_outs", "_starts", "_steps", "_waiting", "start")

    def __init__(self, segments: Iterable[Segment], limit: int, most_steps: int = U64_MAX) -> None:
        self._waiting = _up_to(segments, limit, most_steps)
        self._lock = Lock()
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._steps: list[int] = []
        self._ins = [0]
        self._outs = [0]
        self._walk()
        self.start = self._starts[0] if self._starts else NEVER
        """s where the first unit is taken."""

    def at(self, s: int, reach: int = U64_MAX) -> tuple[int, int]:
        """What the pool takes until its marginal price has come down to s, and what it pays for that."""
        while (count := len(self._starts)) and s >= self._ends[count - 1] and self._walk():
            pass
        index = bisect_right(self._starts, s)
        if index == 0 or reach == 0:
            return 0, 0
        if index > reach:  # As much as surely crosses nothing more, however the pool rounds.
            return max(self._ins[reach] - _ROUNDED * reach, 0), self._outs[reach]
        start, end = self._starts[index - 1], self._ends[index - 1]
        if s >= end:
            return self._ins[index], self._outs[index]
        part = (self._ins[index] - self._ins[index - 1]) * (s - start) // (end - start)
        return self._ins[index - 1] + part, self._outs[index - 1] + (part << 2 * PRECISION) // (start * s)

    def end(self, amount_in: int) -> int:
        """s once the pool has taken this amount; ``NEVER`` where it cannot."""
        while self._ins[len(self._starts)] < amount_in:
            if not self._walk():
                return NEVER
        index = bisect_left(self._ins, amount_in)
        start, end = self._starts[index - 1], self._ends[index - 1]
        return start + (end - start) * (amount_in - self._ins[index - 1]) // (self._ins[index] - self._ins[index - 1])

    def steps(self, amount_in: int) -> int:
        """The ticks or bins that a swap of this amount crosses, an amount that ``at`` returned before."""
        return self._steps[bisect_left(self._ins, amount_in) - 1]

    def reach(self, steps: int) -> int:
        """The segments in which no swap has crossed more than so many ticks or bins."""
        while self._steps[-1] <= steps and self._walk():
            pass
        return bisect_right(self._steps, steps)

    def surplus(self, s: int) -> int:
        """What the pool pays above the price at s, in base units of output, when it is used until there."""
        taken, paid = self.at(s)
        return paid - value_at(taken, s)

    def _walk(self) -> bool:
        """Take one segment more; False if there is none."""
        with self._lock:
            segment = next(self._waiting, None)
            if segment is None:
                return False
            # A fee that falls on the way can make the price better again; for a split, the price then stays as it was.
            start = max(segment.start, self._ends[-1] if self._ends else 1)
            end = max(segment.end, start)
            self._ends.append(end)
            self._steps.append(segment.steps)
            self._ins.append(self._ins[-1] + segment.amount_in)
            self._outs.append(self._outs[-1] + (segment.amount_in << 2 * PRECISION) // (start * end))
            self._starts.append(start)
        return True


def value_at(amount_in: int, s: int) -> int:
    """What ``amount_in`` is worth at the marginal price of s, in base units of output."""
    return (amount_in << 2 * PRECISION) // (s * s)


def _up_to(segments: Iterable[Segment], limit: int, most_steps: int) -> Iterator[Segment]:
    """The segments until their inputs make ``limit``, which is above zero, the last one cut there.

    What lies behind a segment that the pool refuses is out of reach.
    """
    with suppress(SwapError):
        for start, end, amount_in, steps in segments:
            if steps > most_steps:
                return
            if amount_in >= limit:
                yield Segment(start, start + (end - start) * limit // amount_in, limit, steps)
                return
            limit -= amount_in
            if amount_in:
                yield Segment(start, end, amount_in, steps)
