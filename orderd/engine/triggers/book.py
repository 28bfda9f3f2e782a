"""The resting orders of one pair in one direction, sorted so that a change of the market needs few exact quotes.

Orders are compared by the average price of their amount. A larger amount never gets a better average, except for fixed
costs of a route, transfer fees with a maximum, and rounding. So orders are grouped by the size of their amount, in
powers of two, and sorted by the average that meets them. The best price for a first unit excludes most limit orders
without a quote. For the others, a quote of the smallest amount of a group shows which limits may be met in this group
and in all larger ones, and a quote of the largest amount shows which stops may be met in this group and in all smaller
ones. Only these are quoted exactly.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final
from uuid import UUID

from orderd.domain.trigger import Bound

_FRACTION: Final = 64
"""Fractional bits of an average."""
_SLACK: Final = 9
"""An average counts as met if less than 1/512 is missing, because the search for a route is not exact to the last
unit."""
_EXACT: Final = 20
_INPUT_ROUNDED: Final = 4
"""The same where no route is searched for. It is at least the worth of some units of the sold token, in powers of two,
because pools round their fees up."""
_DUST: Final = 1 << 14
"""Orders of smaller amounts, in base units, are always quoted: rounding takes a larger part of them."""
_ROUNDED: Final = 3
"""Base units of the output that rounding may take, one per leg."""

Probe = Callable[[int], int | None]
"""What the best route pays for an amount, in base units; None if no route takes it."""
_Side = list[tuple[int, UUID]]


@dataclass(slots=True)
class _Size:
    """Orders of about the same amount: the average and the id of each, lowest average first."""

    least: _Side = field(default_factory=list)
    most: _Side = field(default_factory=list)

    def side(self, *, is_least: bool) -> _Side:
        return self.least if is_least else self.most


class PairBook:
    """Bounds by order id; an order may have several."""

    def __init__(self) -> None:
        self._sizes: dict[int, _Size] = {}
        self._known: dict[UUID, tuple[int, tuple[tuple[int, bool], ...]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[UUID]:
        return iter(self._known)

    def put(self, order_id: UUID, amount_in: int, bounds: Iterable[Bound]) -> None:
        """Replace the bounds of the order."""
        self.drop(order_id)
        length = amount_in.bit_length()
        kept = tuple((_average(bound.amount_out, amount_in), bound.is_least) for bound in bounds)
        self._known[order_id] = length, kept
        size = self._sizes.setdefault(length, _Size())
        for average, is_least in kept:
            insort(size.side(is_least=is_least), (average, order_id))

    def drop(self, order_id: UUID) -> None:
        if (known := self._known.pop(order_id, None)) is None:
            return
        length, kept = known
        size = self._sizes[length]
        for average, is_least in kept:
            side = size.side(is_least=is_least)
            side.pop(bisect_left(side, (average, order_id)))
        if not (size.least or size.most):
            del self._sizes[length]

    def may_be_met(
        self, probe: Probe, given_up: int = 0, *, best_rate: Fraction | None = None, is_searched: bool = True
    ) -> set[UUID]:
        """The orders that need an exact quote: all whose bounds the market meets, and few others.

        ``given_up`` is the most that the best route may pay less than a more expensive route, which another amount may
        take, or than its part of a larger amount would get. ``best_rate`` is the best rate for a first unit; None if it
        is unknown. If no route ``is_searched`` for, the tolerance is smaller: trailing stops near their best price are
        then left out.
        """
        most = _SLACK if is_searched else _EXACT
        lengths = sorted(self._sizes)
        return {
            *self._limits(lengths, probe, best_rate, given_up, most),
            *self._stops(lengths[::-1], probe, given_up, most),
        }

    def _limits(
        self, lengths: list[int], probe: Probe, best_rate: Fraction | None, given_up: int, most: int
    ) -> Iterator[UUID]:
        best = None if best_rate is None else (best_rate.numerator << _FRACTION) // best_rate.denominator
        ceiling = None if best is None else best + (best >> most)
        for length in lengths:
            side, smallest = self._sizes[length].least, 1 << (length - 1)
            if not side or (ceiling is not None and side[0][0] > ceiling):
                continue
            if smallest >= _DUST:
                # If the smallest amount gets nothing, a larger one may still get something.
                paid = _average((probe(smallest) or 0) + _ROUNDED + given_up, smallest)
                paid += paid >> _slack(length, most)
                ceiling = paid if ceiling is None else min(ceiling, paid)
            end = len(side) if ceiling is None else bisect_right(side, ceiling, key=_key)
            yield from (order_id for _, order_id in side[:end])

    def _stops(self, lengths: list[int], probe: Probe, given_up: int, most: int) -> Iterator[UUID]:
        largest = 0
        for length in lengths:
            side, smallest = self._sizes[length].most, 1 << (length - 1)
            if not side:
                continue
            if smallest < _DUST:
                yield from (order_id for _, order_id in side)
                continue
            missing = _average(_ROUNDED + given_up, smallest) + 1
            if side[-1][0] >= largest - (largest >> _slack(length, most)) - missing:
                # A route may take the smaller amounts of a group although it does not take the largest.
                largest = max(largest, _average(probe(smallest << 1) or 0, smallest << 1))
            start = bisect_left(side, largest - (largest >> _slack(length, most)) - missing, key=_key)
            yield from (order_id for _, order_id in side[start:])


def _average(amount_out: int, amount_in: int) -> int:
    return (amount_out << _FRACTION) // amount_in


def _slack(length: int, most: int) -> int:
    return max(_SLACK, min(most, length - _INPUT_ROUNDED))


def _key(entry: tuple[int, UUID]) -> int:
    return entry[0]
