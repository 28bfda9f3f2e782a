"""The tick arrays of a Raydium CLMM swap: which of the given ones it can cross, and the pool built from them.

Source: raydium-io/raydium-clmm, ``programs/amm/src/instructions/{swap_v2,swap}.rs``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from orderd.pools.raydium_clmm.accounts import AmmConfig, PoolState, TickArrayBitmapExtension, TickArrayState
from orderd.pools.raydium_clmm.addresses import bitmap_extension_address
from orderd.pools.raydium_clmm.instructions import POOL_STATE, TICK_ARRAYS
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_clmm.tick_arrays import arrays_in_order
from orderd.simnet.codec import decoded
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs import anchor
from orderd.simnet.programs.refusal import fail

NO_MORE_LIQUIDITY: Final = 6019
MISSING_TICK_ARRAY: Final = 6027
WRONG_FIRST_TICK_ARRAY: Final = 6028
MISSING_BITMAP_EXTENSION: Final = 6040
NO_LIQUIDITY_THIS_WAY: Final = 6041


def pool_of(pool: PoolState, config: AmmConfig, tick_arrays: Iterable[bytes]) -> clmm.ClmmPool:
    """The pool with the liquidity of these tick arrays, given in any order. Raises LayoutError,
    UnsupportedPoolError."""
    arrays = sorted(filter(None, map(_ticks, tick_arrays)), key=lambda ticks: ticks[0].tick)
    return replace(pool.to_pool(config, ()), ticks=tuple(chain.from_iterable(arrays)))


@lru_cache(maxsize=256)
def _ticks(data: bytes) -> tuple[clmm.ClmmTick, ...]:
    """The ticks of a tick array, cached because decoding them for each swap would be slow."""
    return tuple(decoded(TickArrayState, data).initialized_ticks())


class Given(NamedTuple):
    """The accounts after the fixed ones: the bitmap extension, if it is named, and the positions of the tick arrays."""

    extension: TickArrayBitmapExtension | None
    tick_arrays: tuple[int, ...]


def given_accounts(invocation: Invocation) -> Given:
    """Check the accounts after the fixed ones. Raises InstructionError."""
    extension, arrays = None, []
    extension_address = bitmap_extension_address(invocation.key(POOL_STATE), invocation.program_id)
    for index in range(TICK_ARRAYS, len(invocation.uses)):
        if invocation.key(index) == extension_address:
            extension = anchor.load(invocation, index, TickArrayBitmapExtension, "tickarray_bitmap_extension")
            continue
        account = invocation.account(index)
        if len(account.data) != TickArrayState.size():
            break
        if account.owner != invocation.program_id:
            raise anchor.error(invocation, *anchor.ACCOUNT_OWNED_BY_WRONG_PROGRAM)
        if not invocation.is_writable(index):
            raise anchor.error(invocation, *anchor.ACCOUNT_NOT_MUTABLE)
        if not account.data.startswith(TickArrayState.DISCRIMINATOR):
            raise anchor.error(invocation, *anchor.ACCOUNT_DISCRIMINATOR_MISMATCH)
        arrays.append(index)
    return Given(extension, tuple(arrays))


class ArrayWalk(NamedTuple):
    """The tick arrays that a swap can cross, by their account position. ``at_end``: the bitmaps show no further array.

    ``ends_blind``: the bitmap extension was not given, so that arrays outside the pool's own bitmap are not known.
    """

    arrays: dict[int, TickArrayState]
    at_end: bool
    ends_blind: bool

    def exhausted(self, invocation: Invocation) -> InstructionError:
        """The error of a swap that runs beyond the last array."""
        if not self.at_end:
            return fail(invocation, MISSING_TICK_ARRAY)
        return fail(invocation, MISSING_BITMAP_EXTENSION if self.ends_blind else NO_MORE_LIQUIDITY)


def walk_arrays(invocation: Invocation, pool: PoolState, given: Given, *, zero_for_one: bool) -> ArrayWalk:
    """The given arrays, as long as they are in the order of the swap; others may be between them.

    Raises InstructionError.
    """
    expected = list(arrays_in_order(pool, given.extension, zero_for_one=zero_for_one))
    ends_blind = given.extension is None
    if not expected:
        raise fail(invocation, MISSING_BITMAP_EXTENSION if ends_blind else NO_LIQUIDITY_THIS_WAY)
    if not given.tick_arrays:
        raise anchor.panic(invocation, "a swap needs at least one tick array")
    left = iter(given.tick_arrays)
    arrays: dict[int, TickArrayState] = {}
    for start in expected:
        found = _next_starting_at(invocation, left, start)
        if found is None:
            break
        index, array = found
        if array.pool_id != invocation.key(POOL_STATE):
            raise anchor.error(invocation, *anchor.REQUIRE_KEYS_EQ_VIOLATED)
        arrays[index] = array
    if not arrays:
        raise fail(invocation, WRONG_FIRST_TICK_ARRAY)
    return ArrayWalk(arrays, len(arrays) == len(expected), ends_blind)


def _next_starting_at(invocation: Invocation, left: Iterator[int], start: int) -> tuple[int, TickArrayState] | None:
    for index in left:
        array = decoded(TickArrayState, invocation.account(index).data)
        if array.start_tick_index == start:
            return index, array
    return None
