"""Finds the initialized tick arrays of a Raydium CLMM pool, and those that a swap crosses.

A pool's own bitmap covers 512 arrays on either side of tick 0, its extension account 7,168 more on each side, which is
enough for all ticks. Source of the bit order: raydium-io/raydium-clmm,
``programs/amm/src/{libraries/tick_array_bit_map.rs,states/tickarray_bitmap_extension.rs}``.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from orderd.amm.tick_math import MAX_TICK, MIN_TICK
from orderd.pools.raydium_clmm.accounts import TICKS_PER_ARRAY, PoolState, TickArrayBitmapExtension
from orderd.solana.programs.layout import LayoutError

OWN: Final = 512
"""Arrays in the pool's own bitmap on either side of tick 0."""

_BITMAP_BYTES: Final = 64
_OWN_BYTES: Final = 2 * OWN // 8
_NO_EXTENSION: Final = bytes(14 * _BITMAP_BYTES)
_LOWEST: Final = -OWN - 8 * len(_NO_EXTENSION)


def array_start(tick: int, tick_spacing: int) -> int:
    """The start index of the tick array that holds a tick."""
    width = TICKS_PER_ARRAY * tick_spacing
    return tick // width * width


def arrays_in_order(
    state: PoolState, extension: TickArrayBitmapExtension | None, *, zero_for_one: bool
) -> Iterator[int]:
    """The start indices of the arrays with initialized ticks in the order of a swap: down (``zero_for_one``) or up.

    The first is the array of the current tick or, if that has none, the next one. Without an extension, the list ends
    at the bounds of the pool's own bitmap. Raises LayoutError for a pool without a price, and for arrays outside the
    range of ticks.
    """
    if not (state.tick_spacing and MIN_TICK <= state.tick_current <= MAX_TICK):
        raise LayoutError(f"tick {state.tick_current} is in no array of ticks {state.tick_spacing} apart")
    width = TICKS_PER_ARRAY * state.tick_spacing
    current = state.tick_current // width - _LOWEST
    bits = _existing(state, extension)
    ahead = _falling(bits & (2 << current) - 1) if zero_for_one else _rising(bits >> current << current)
    return (_with_ticks((position + _LOWEST) * width, width) for position in ahead)


def needs_extension(state: PoolState, starts: Iterable[int]) -> bool:
    """Whether a swap through these arrays must name the bitmap extension: an array, or the price, is outside the own
    bitmap."""
    reach = OWN * TICKS_PER_ARRAY * state.tick_spacing
    return any(not -reach <= tick < reach for tick in (state.tick_current, *starts))


def own_bit(start: int, tick_spacing: int) -> int | None:
    """The bit of PoolState.tick_array_bitmap for an array; None if the array is outside the bitmap."""
    position = start // (TICKS_PER_ARRAY * tick_spacing) + OWN
    return 1 << position if 0 <= position < 2 * OWN else None


def _existing(state: PoolState, extension: TickArrayBitmapExtension | None) -> int:
    """One bit per array, in ascending order."""
    below = above = _NO_EXTENSION
    if extension is not None:
        # The bitmaps below zero are stored from the nearest to the farthest.
        nearest_first = range(0, len(extension.negative), _BITMAP_BYTES)
        below = b"".join(extension.negative[start : start + _BITMAP_BYTES] for start in reversed(nearest_first))
        above = extension.positive
    return int.from_bytes(below + state.tick_array_bitmap.to_bytes(_OWN_BYTES, "little") + above, "little")


def _with_ticks(start: int, width: int) -> int:
    if not MIN_TICK - width < start <= MAX_TICK:
        raise LayoutError(f"the tick array {start} is outside the range of ticks")
    return start


def _falling(bits: int) -> Iterator[int]:
    while bits:
        top = bits.bit_length() - 1
        yield top
        bits ^= 1 << top


def _rising(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
