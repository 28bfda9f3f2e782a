"""Finds the level, an s of ``curve``, at which pools take a given amount together."""

from collections.abc import Callable
from typing import Final, NamedTuple

from orderd.amm.curve import NEVER

_LEVEL_BITS: Final = 24
"""Relative precision of the level in bits. The remaining amount is distributed at a price that is at most 2 ** -23 off,
which costs a millionth of a basis point."""


class FillLevel(NamedTuple):
    """Two levels close to each other: the legs take less than the amount at ``below``, and all of it at ``above``."""

    below: int
    above: int


def level_of(taken: Callable[[int], int], lowest: int, amount: int, end: int = NEVER) -> FillLevel:
    """The level at which ``taken``, which rises with s from ``lowest`` on, reaches ``amount``; ``end`` if it is
    beyond.

    It is the cell of a bisection in which the amount is reached. Most of its comparisons need no further ``taken``,
    because ``_narrowed`` has found where.
    """
    below, step = lowest, (lowest >> 7) + 1
    above, at_below = below + step, taken(lowest)
    while (at_above := taken(above)) < amount:
        if above >= end or (below < 2 * lowest <= above and taken(end) < amount):
            return FillLevel(end, end)
        step *= 2
        below, above, at_below = above, above + step, at_above
    if above > end and taken(end) < amount:
        return FillLevel(end, end)
    low, high = (below, below) if at_below >= amount else _narrowed(taken, amount, (below, at_below), (above, at_above))
    while above - below > (above >> _LEVEL_BITS):
        middle = (below + above) // 2
        if middle >= high or (middle > low and taken(middle) >= amount):
            above = middle
        else:
            below = middle
    return FillLevel(below, above)


def _narrowed(taken: Callable[[int], int], amount: int, low: tuple[int, int], high: tuple[int, int]) -> tuple[int, int]:
    """Two levels close to that of ``amount``, of which the first takes less, from two such levels with what they take.

    Between two ends of segments, ``taken`` is linear: there, two tries are enough, one on either side of the level.
    """
    (below, at_below), (above, at_above) = low, high
    margin, is_slow = (above >> _LEVEL_BITS + 1) + 1, False
    while (width := above - below) > 4 * margin:
        middle = below + width // 2
        if not is_slow:
            guess = below + width * (amount - at_below) // (at_above - at_below)
            middle = min(guess + margin, middle) if guess < middle else max(guess - margin, middle)
        if (at_middle := taken(middle)) < amount:
            below, at_below = middle, at_middle
        else:
            above, at_above = middle, at_middle
        is_slow = 2 * (above - below) > width
    return below, above
