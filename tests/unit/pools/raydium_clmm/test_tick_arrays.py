"""Tick arrays of Raydium CLMM pools: which exist, and the order in which a swap uses them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.amm.tick_math import MAX_TICK, MIN_TICK
from orderd.pools.raydium_clmm.accounts import PoolState, TickArrayBitmapExtension
from orderd.pools.raydium_clmm.simnet.genesis import own_bitmap
from orderd.pools.raydium_clmm.tick_arrays import array_start, arrays_in_order, needs_extension
from tests.unit.solana.records import blank, key


def extension_of(arrays: set[int]) -> TickArrayBitmapExtension:
    """The extension for arrays numbered from tick 0, with bits placed by the program's own arithmetic."""
    sides = {True: bytearray(14 * 64), False: bytearray(14 * 64)}
    for number in arrays:
        bitmap, position = divmod(abs(number), 512)
        bitmap -= 1
        if number < 0 and position == 0:
            bitmap -= 1
        elif number < 0:
            position = 512 - position
        sides[number > 0][bitmap * 64 + position // 8] |= 1 << position % 8
    return TickArrayBitmapExtension(key(77), positive=bytes(sides[True]), negative=bytes(sides[False]))


def state_at(tick: int, arrays: set[int], spacing: int = 1) -> PoolState:
    own = own_bitmap((number * 60 * spacing for number in arrays if -512 <= number < 512), spacing)
    return blank(PoolState, tick_current=tick, tick_spacing=spacing, tick_array_bitmap=own)


def walk(tick: int, arrays: set[int], *, down: bool, spacing: int = 1) -> list[int]:
    extension = extension_of({number for number in arrays if not -512 <= number < 512})
    return list(arrays_in_order(state_at(tick, arrays, spacing), extension, zero_for_one=down))


@pytest.mark.parametrize(
    ("tick", "spacing", "start"),
    [(0, 1, 0), (59, 1, 0), (60, 1, 60), (-1, 1, -60), (-60, 1, -60), (-22_875, 60, -25_200)],
)
def test_an_array_starts_at_or_below_its_ticks(tick: int, spacing: int, start: int) -> None:
    assert array_start(tick, spacing) == start


def test_a_swap_starts_with_the_array_that_holds_the_price() -> None:
    arrays = {-3, -1, 0, 2}
    assert walk(10, arrays, down=True) == [0, -60, -180]
    assert walk(10, arrays, down=False) == [0, 120]


def test_an_array_without_ticks_is_skipped() -> None:
    assert walk(70, {-3, 0, 2}, down=True) == [0, -180]
    assert walk(70, {-3, 0, 2}, down=False) == [120]


def test_start_indices_grow_with_the_tick_spacing() -> None:
    assert walk(-5_000, {-2, -1, 0}, down=True, spacing=60) == [-7_200]
    assert walk(-5_000, {-2, -1, 0}, down=False, spacing=60) == [-7_200, -3_600, 0]


def test_a_pool_without_arrays_ahead_has_no_walk() -> None:
    assert walk(0, set(), down=True) == []
    assert walk(100, {0}, down=False) == []


@pytest.mark.parametrize(
    ("number", "side", "bit"),
    [
        (512, "positive", 0),
        (513, "positive", 1),
        (1_024, "positive", 512),
        (7_393, "positive", 13 * 512 + 225),
        (-513, "negative", 511),
        (-514, "negative", 510),
        (-1_024, "negative", 0),
        (-1_025, "negative", 512 + 511),
        (-7_394, "negative", 13 * 512 + 286),
    ],
)
def test_the_extension_has_a_bit_for_each_array_beyond_the_pools_own(number: int, side: str, bit: int) -> None:
    content = (1 << bit).to_bytes(14 * 64, "little")
    extension = blank(TickArrayBitmapExtension, **{side: content})
    state = state_at(0, set())
    assert list(arrays_in_order(state, extension, zero_for_one=number < 0)) == [number * 60]
    assert list(arrays_in_order(state, extension, zero_for_one=number > 0)) == []


def test_the_walk_ends_at_the_pools_own_bitmap_without_the_extension() -> None:
    arrays = {-600, -512, -1, 511, 512}
    state = state_at(0, arrays)
    assert list(arrays_in_order(state, None, zero_for_one=True)) == [-60, -512 * 60]
    assert list(arrays_in_order(state, None, zero_for_one=False)) == [511 * 60]
    assert walk(0, arrays, down=True) == [-60, -512 * 60, -600 * 60]
    assert walk(0, arrays, down=False) == [511 * 60, 512 * 60]


def test_the_extension_is_named_if_the_swap_leaves_the_pools_own_bitmap() -> None:
    inside, reach = state_at(0, {0}), 512 * 60
    assert not needs_extension(inside, [-reach, 0, reach - 60])
    assert needs_extension(inside, [0, reach])
    assert needs_extension(inside, [0, -reach - 60])
    assert needs_extension(state_at(reach, {511}), [reach - 60])
    assert needs_extension(state_at(-reach - 1, {-512}), [-reach])


LOWEST, HIGHEST = MIN_TICK // 60, MAX_TICK // 60


@given(
    st.sets(st.integers(LOWEST, HIGHEST) | st.integers(-520, -505) | st.integers(505, 520), max_size=30),
    st.integers(MIN_TICK, MAX_TICK),
)
def test_the_walk_is_the_sorted_arrays_on_its_side_of_the_price(arrays: set[int], tick: int) -> None:
    current = tick // 60
    assert walk(tick, arrays, down=True) == [60 * each for each in sorted(arrays, reverse=True) if each <= current]
    assert walk(tick, arrays, down=False) == [60 * each for each in sorted(arrays) if each >= current]
