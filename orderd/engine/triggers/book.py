"""The resting orders of one pair in one direction, so ordered that few of them are looked at when the market moves.

What is compared is what an amount is paid on average: a larger amount is never paid more for each of its units, but for
what fees of a leg and rounding take. So orders are kept by the size of their amounts, in powers of two, and by the
average that meets them: a quote of the smallest amount of a size says which limits may be met, a quote of the largest
which stops. Those alone are quoted exactly.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from orderd.domain.trigger import Bound

_FRACTION: Final = 64
"""Bits of an average behind the point."""
_SLACK: Final = 9
"""An average counts as met where less than 1/512 is missing: what a leg's fee may make a small amount lose."""
_DUST: Final = 1 << 14
"""Of smaller amounts, in base units, rounding takes more than that: they are always looked at."""

Probe = Callable[[int], int | None]
"""What the best route pays for an amount, in base units; None where none takes it."""


@dataclass(slots=True)
class _Size:
    """Orders of about one amount: each as its average and its id, lowest average first."""

    least: list[tuple[int, UUID]] = field(default_factory=list)
    most: list[tuple[int, UUID]] = field(default_factory=list)

    def side(self, bound: Bound) -> list[tuple[int, UUID]]:
        return self.least if bound.is_least else self.most


class PairBook:
    """Bounds by their orders' ids. An order may have two: a trailing stop has one that lifts the other."""

    def __init__(self) -> None:
        self._sizes: dict[int, _Size] = {}
        self._known: dict[UUID, tuple[int, tuple[Bound, ...]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def put(self, order_id: UUID, amount_in: int, bounds: Iterable[Bound]) -> None:
        """Keep these bounds of the order, instead of any before."""
        self.drop(order_id)
        kept = tuple(bounds)
        self._known[order_id] = amount_in, kept
        size = self._sizes.setdefault(amount_in.bit_length(), _Size())
        for bound in kept:
            insort(size.side(bound), (_average(bound.amount_out, amount_in), order_id))

    def drop(self, order_id: UUID) -> None:
        if (known := self._known.pop(order_id, None)) is None:
            return
        amount_in, bounds = known
        length = amount_in.bit_length()
        size = self._sizes[length]
        for bound in bounds:
            side = size.side(bound)
            side.pop(bisect_left(side, (_average(bound.amount_out, amount_in), order_id)))
        if not (size.least or size.most):
            del self._sizes[length]

    def may_be_met(self, probe: Probe) -> set[UUID]:
        """The orders to be looked at exactly: all whose bounds the market meets, and few others."""
        found: set[UUID] = set()
        for length, size in self._sizes.items():
            found.update(_of_size(1 << (length - 1), size, probe))
        return found


def _of_size(smallest: int, size: _Size, probe: Probe) -> Iterator[UUID]:
    if smallest < _DUST:
        yield from (order_id for side in (size.least, size.most) for _, order_id in side)
        return
    if size.least:
        # One more, for what was rounded off. Where the smallest is paid nothing, a larger one may be paid something.
        best = _average((probe(smallest) or 0) + 1, smallest)
        end = bisect_right(size.least, best + (best >> _SLACK), key=_key)
        yield from (order_id for _, order_id in size.least[:end])
    if size.most:
        # Two less, for a smaller amount loses up to twice as much of each of its units by rounding. The smaller ones of
        # a size may be taken where the largest one is not.
        worst = _average(max((probe(smallest << 1) or 0) - 2, 0), smallest << 1)
        start = bisect_left(size.most, worst - (worst >> _SLACK), key=_key)
        yield from (order_id for _, order_id in size.most[start:])


def _average(amount_out: int, amount_in: int) -> int:
    return (amount_out << _FRACTION) // amount_in


def _key(entry: tuple[int, UUID]) -> int:
    return entry[0]
