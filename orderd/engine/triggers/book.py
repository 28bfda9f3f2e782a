"""The resting orders of one pair in one direction, so ordered that few of them are looked at when the market moves.

What is compared is what an amount is paid on average: a larger amount is never paid more for each of its units, but for
what ways cost and what is rounded off. So orders are kept by the size of their amounts, in powers of two, and by the
average that meets them. The best price that a first unit would be paid leaves out most limits without a question. Else
a quote of the smallest amount of a size says which limits may be met, there and in all larger sizes; a quote of the
largest which stops, there and in all smaller ones. Those alone are quoted exactly.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final
from uuid import UUID

from orderd.domain.trigger import Bound

_FRACTION: Final = 64
"""Bits of an average behind the point."""
_SLACK: Final = 9
"""An average counts as met where less than 1/512 is missing: no route is searched for to the last unit."""
_EXACT: Final = 20
_INPUT_ROUNDED: Final = 4
"""The same where no route is searched for, but not less than what some units of what is sold are worth, in powers of
two: pools round their fees up."""
_DUST: Final = 1 << 14
"""Of smaller amounts, in base units, rounding takes more than that: they are always looked at."""
_ROUNDED: Final = 3
"""Base units of what is paid that rounding may take, one a leg."""

Probe = Callable[[int], int | None]
"""What the best route pays for an amount, in base units; None where none takes it."""
_Side = list[tuple[int, UUID]]


@dataclass(slots=True)
class _Size:
    """Orders of about one amount: each as its average and its id, lowest average first."""

    least: _Side = field(default_factory=list)
    most: _Side = field(default_factory=list)

    def side(self, *, is_least: bool) -> _Side:
        return self.least if is_least else self.most


class PairBook:
    """Bounds by the ids of their orders, each of which may have several."""

    def __init__(self) -> None:
        self._sizes: dict[int, _Size] = {}
        self._known: dict[UUID, tuple[int, tuple[tuple[int, bool], ...]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[UUID]:
        return iter(self._known)

    def put(self, order_id: UUID, amount_in: int, bounds: Iterable[Bound]) -> None:
        """Keep these bounds of the order, instead of any before."""
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
        """The orders to be looked at exactly: all whose bounds the market meets, and few others.

        ``given_up`` is what a best route may be paid less at most than a dearer one, which another amount may take;
        ``best_rate`` what a first unit would be paid on the best way, None where nobody can tell. Where no route
        ``is_searched`` for, what is left out is told more sharply: of trailing stops that stand near their best price.
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
                # Where the smallest is paid nothing, a larger one may be paid something.
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
                # The smaller ones of a size may be taken where the largest one is not.
                largest = max(largest, _average(probe(smallest << 1) or 0, smallest << 1))
            start = bisect_left(side, largest - (largest >> _slack(length, most)) - missing, key=_key)
            yield from (order_id for _, order_id in side[start:])


def _average(amount_out: int, amount_in: int) -> int:
    return (amount_out << _FRACTION) // amount_in


def _slack(length: int, most: int) -> int:
    return max(_SLACK, min(most, length - _INPUT_ROUNDED))


def _key(entry: tuple[int, UUID]) -> int:
    return entry[0]
