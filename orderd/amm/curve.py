"""A pool's curve in one direction: the marginal output for each further base unit of input.

Let s = 1 / sqrt(marginal price), with the price in base units of output per base unit of input after fees. If a pool
follows a constant product with virtual reserves R_in, R_out, and fees leave the fraction g of the input and h of the
output,

    s = (R_in + g * x) / sqrt(g * h * R_in * R_out)

for an input x. Along such a segment the input is linear in s, and an input x from s0 to s1 pays x / (s0 * s1), because
the average price is the geometric mean of the prices at both ends. A constant price is a segment with s0 = s1. CPMM and
AMM v4 have one segment; DAMM v2 has one that ends with its price range; CLMM has one per stretch between ticks, and
DLMM one per bin. So the same arithmetic splits over all of them.

s is fixed-point with ``PRECISION`` fractional bits; amounts are base units. The curve only finds a split; its exact
amounts are always computed by the pools' own integer swaps.
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
"""An s that no pool reaches: square-root prices have 64 bits before the point."""

_ROUNDED: Final = 2
"""Maximum rounding error of a segment's input, in base units."""
_ONE_SQUARED: Final = 1 << 2 * PRECISION


class Segment(NamedTuple):
    """An input of ``amount_in``, fees included, moves s from ``start`` to ``end``, which is not below ``start``.

    A swap that ends in this segment has crossed ``steps`` ticks or bins.
    """

    start: int
    end: int
    amount_in: int
    steps: int = 0


def constant_product(reserve_in: int, reserve_out: int, kept_in: int, kept_out: int, amount_in: int) -> Segment:
    """The segment of a constant product up to ``amount_in``. ``kept_*`` are the fractions of input and output that fees
    leave, Q64.64.

    All arguments except ``amount_in`` are positive.
    """
    start = isqrt((reserve_in << 2 * PRECISION + 128) // (reserve_out * kept_in * kept_out))
    return Segment(start, start + start * kept_in * amount_in // (reserve_in << 64), amount_in)


def constant_price(numerator: int, denominator: int, amount_in: int, steps: int) -> Segment:
    """The segment of a constant price up to ``amount_in``: ``numerator`` base units of output per ``denominator`` of
    input,

    after fees."""
    at = isqrt(_ONE_SQUARED * denominator // numerator)
    return Segment(at, at, amount_in, steps)


def kept(fee_rate: int, denominator: int) -> int:
    """The fraction of an amount that a fee leaves, Q64.64. Raises SwapError if it is not positive."""
    left = (denominator - fee_rate) * Q64 // denominator if denominator else 0
    if left <= 0:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return left


def inverse_sqrt(kept_all: int) -> int:
    """1 / sqrt(kept_all) with ``PRECISION`` fractional bits; ``kept_all`` is the positive fraction that fees leave,
    Q64.64."""
    return isqrt((Q64 << 2 * PRECISION) // kept_all)


def s_at(sqrt_price: int, scale: int, zero_for_one: bool) -> int:
    """s at a square-root price of token 1 per token 0 (Q64.64); ``scale`` is ``inverse_sqrt`` of what fees leave."""
    return (scale << 64) // sqrt_price if zero_for_one else scale * sqrt_price >> 64


class Curve:
    """The segments of one pool up to ``limit`` of input and ``most_steps``, computed on demand.

    A ``reach`` is a number of segments; those beyond it are not used. Threads may share a curve: a segment becomes
    visible when its start is appended, after all its other values.
    """

    __slots__ = ("_ends", "_ins", "_is_complete", "_lock", "_outs", "_starts", "_steps", "_waiting", "start")

    def __init__(self, segments: Iterable[Segment], limit: int, most_steps: int = U64_MAX) -> None:
        self._waiting = _up_to(segments, limit, most_steps)
        self._lock = Lock()
        self._is_complete = False
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._steps: list[int] = []
        self._ins = [0]
        self._outs = [0]
        self._walk()
        self.start = self._starts[0] if self._starts else NEVER
        """s of the first unit of input."""

    def taken(self, s: int, reach: int = U64_MAX) -> int:
        """The input until the pool's marginal price has fallen to that of s."""
        index = self._segments_until(s)
        if index == 0 or reach == 0:
            return 0
        if index > reach:  # reduced, so that it does not cross one more tick or bin however the pool rounds
            return max(self._ins[reach] - _ROUNDED * reach, 0)
        start, end = self._starts[index - 1], self._ends[index - 1]
        if s >= end:
            return self._ins[index]
        before = self._ins[index - 1]
        return before + (self._ins[index] - before) * (s - start) // (end - start)

    def at(self, s: int, reach: int = U64_MAX) -> tuple[int, int]:
        """The input until the pool's marginal price has fallen to that of s, and the output for it."""
        taken = self.taken(s, reach)
        index = self._segments_until(s)
        if index > reach or index == 0 or s >= self._ends[index - 1]:
            return taken, self._outs[min(index, reach)]
        part = taken - self._ins[index - 1]
        return taken, self._outs[index - 1] + (part << 2 * PRECISION) // (self._starts[index - 1] * s)

    def end(self, amount_in: int) -> int:
        """s after the pool has taken this amount; ``NEVER`` if it cannot."""
        while self._ins[len(self._starts)] < amount_in:
            if not self._walk():
                return NEVER
        index = bisect_left(self._ins, amount_in)
        start, end = self._starts[index - 1], self._ends[index - 1]
        return start + (end - start) * (amount_in - self._ins[index - 1]) // (self._ins[index] - self._ins[index - 1])

    def steps(self, amount_in: int) -> int:
        """Ticks or bins that a swap of this amount crosses. The amount must have been returned by ``at``."""
        return self._steps[bisect_left(self._ins, amount_in) - 1]

    def reach(self, steps: int) -> int:
        """The number of segments that a swap can use without crossing more than ``steps`` ticks or bins."""
        while self._steps[-1] <= steps and self._walk():
            pass
        return bisect_right(self._steps, steps)

    def surplus(self, s: int) -> int:
        """The output up to s minus the value of its input at the price of s, in base units of output."""
        taken, paid = self.at(s)
        return paid - value_at(taken, s)

    def _segments_until(self, s: int) -> int:
        """The number of segments that start at or before s."""
        while not self._is_complete and s >= self._ends[len(self._starts) - 1] and self._walk():
            pass
        return bisect_right(self._starts, s)

    def _walk(self) -> bool:
        """Compute one more segment; False if there is none."""
        if self._is_complete:
            return False
        with self._lock:
            segment = next(self._waiting, None)
            if segment is None:
                self._is_complete = True
                return False
            # A fee that falls on the way can improve the price again; the split then treats the price as constant.
            start = max(segment.start, self._ends[-1] if self._ends else 1)
            end = max(segment.end, start)
            self._ends.append(end)
            self._steps.append(segment.steps)
            self._ins.append(self._ins[-1] + segment.amount_in)
            self._outs.append(self._outs[-1] + (segment.amount_in << 2 * PRECISION) // (start * end))
            self._starts.append(start)
        return True


def value_at(amount_in: int, s: int) -> int:
    """The value of ``amount_in`` at the marginal price of s, in base units of output."""
    return (amount_in << 2 * PRECISION) // (s * s)


def _up_to(segments: Iterable[Segment], limit: int, most_steps: int) -> Iterator[Segment]:
    """The segments up to a total input of ``limit``, which is positive; the last one is cut.

    Segments after one that raises SwapError are not reachable.
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
