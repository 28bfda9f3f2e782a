"""The bin arrays of a DLMM swap, in the program's order, across all three bitmaps."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from orderd.pools.meteora_dlmm.accounts import BitmapExtension, LbPair
from orderd.pools.meteora_dlmm.bin_array import Bin, BinArray
from orderd.pools.meteora_dlmm.bitmap import array_index, arrays_in_order
from orderd.pools.meteora_dlmm.maths.pool import swap_exact_in
from orderd.pools.meteora_dlmm.simnet.genesis import internal_bitmap
from orderd.pools.meteora_dlmm.simnet.write_back import array_after, is_empty, pair_after, without
from orderd.solana.programs.layout import LayoutError

PAIR = LbPair.decode(LbPair.DISCRIMINATOR + bytes(896))
KEY = Pubkey.from_bytes(b"\x01" * 32)
INDICES = st.sets(st.integers(-6656, 6655), max_size=12)


def pair_with(indices: set[int], active_id: int) -> tuple[LbPair, BitmapExtension]:
    inside = [index for index in indices if -512 <= index < 512]
    above = sum(1 << (index - 512) for index in indices if index >= 512)
    below = sum(1 << (-513 - index) for index in indices if index < -512)
    return replace(PAIR, active_id=active_id, bin_array_bitmap=internal_bitmap(inside)), BitmapExtension(
        KEY, above, below
    )


@pytest.mark.parametrize(("bin_id", "index"), [(0, 0), (69, 0), (70, 1), (-1, -1), (-70, -1), (-71, -2), (-2287, -33)])
def test_a_bin_belongs_to_the_array_of_its_index(bin_id: int, index: int) -> None:
    assert array_index(bin_id) == index


@given(indices=INDICES, active=st.integers(-6656 * 70, 6656 * 70 - 1))
def test_a_swap_uses_arrays_in_order_from_the_active_one(indices: set[int], active: int) -> None:
    pair, extension = pair_with(indices, active)
    start = array_index(active)
    assert list(arrays_in_order(pair, extension, swap_for_y=True)) == sorted(
        (index for index in indices if index <= start), reverse=True
    )
    assert list(arrays_in_order(pair, extension, swap_for_y=False)) == sorted(
        index for index in indices if index >= start
    )


def test_the_walk_ends_at_the_pools_own_bitmap_without_the_extension() -> None:
    pair, _ = pair_with({-600, -512, 0, 511, 512}, active_id=0)
    assert list(arrays_in_order(pair, None, swap_for_y=True)) == [0, -512]
    assert list(arrays_in_order(pair, None, swap_for_y=False)) == [0, 511]


@given(indices=INDICES, data=st.data())
def test_an_emptied_array_is_removed_from_its_bitmap(indices: set[int], data: st.DataObject) -> None:
    emptied = data.draw(st.sets(st.sampled_from(sorted(indices)))) if indices else set()
    assert without(*pair_with(indices, active_id=0), emptied) == pair_with(indices - emptied, active_id=0)


def test_arrays_outside_the_pools_own_bitmap_are_unchanged_without_the_extension() -> None:
    pair, _ = pair_with({-600, 3, 600}, active_id=0)
    assert without(pair, None, [-600, 600]) == (pair, None)


@pytest.mark.parametrize(
    ("content", "empty"),
    [
        ({}, True),
        ({"liquidity_supply": 1 << 64}, False),
        ({"open_order_amount": 1}, False),
        ({"processed_order_remaining_amount": 1}, False),
        ({"price": 1 << 64, "fulfilled_order_amount_y": 5, "total_processing_order_amount": 5, "order_age": 1}, True),
        ({"limit_order_fee_ask_side": 5, "fee_amount_x_per_token_stored": 5, "limit_order_ask_side": 1}, True),
    ],
)
def test_an_array_is_empty_when_only_claims_remain(content: dict[str, int], empty: bool) -> None:
    assert is_empty(BinArray(0, 2, bytes(7), KEY).with_bin(69, Bin(**content))) == empty  # type: ignore[arg-type]


def test_a_bin_belongs_to_one_array_only() -> None:
    array = BinArray(-1, 2, bytes(7), KEY)
    filled = array.with_bin(-70, Bin(amount_x=1)).with_bin(-1, Bin(amount_y=2))
    assert (filled.bin(-70).amount_x, filled.bin(-1).amount_y) == (1, 2)
    for stranger in (0, -71):
        with pytest.raises(LayoutError, match=f"bin {stranger} is not in bin array -1"):
            array.bin(stranger)


def test_a_swap_is_written_back_to_the_bins_it_changed() -> None:
    low = BinArray(-1, 2, bytes(7), KEY).with_bin(-1, Bin(amount_y=500, price=1 << 64))
    high = BinArray(0, 2, bytes(7), KEY).with_bin(0, Bin(amount_x=700, amount_y=100, price=1 << 64))
    pair = replace(PAIR, bin_step=10, bin_array_bitmap=internal_bitmap([-1, 0]))
    swap = swap_exact_in(pair.to_pool([low, high]), 250, swap_for_y=True, now=0)
    assert {each.bin_id for each in swap.changed_bins} == {0, -1}
    low_after, high_after = array_after(low, swap, swap_for_y=True), array_after(high, swap, swap_for_y=True)
    assert (high_after.bin(0).amount_x, high_after.bin(0).amount_y) == (800, 0)
    assert (low_after.bin(-1).amount_x, low_after.bin(-1).amount_y) == (150, 350)
    after = pair_after(pair, swap.pool)
    assert after.active_id == -1
    assert after.to_pool([low_after, high_after]).bins == swap.pool.bins


@pytest.mark.parametrize("version", range(4))
def test_limit_orders_count_in_every_version_of_a_bin_array(version: int) -> None:
    orders = Bin(price=1 << 64, open_order_amount=1_000, order_age=7)
    array = BinArray(0, version, bytes(7), KEY).with_bin(0, orders)
    pair = replace(PAIR, bin_step=10, bin_array_bitmap=internal_bitmap([0]))

    swap = swap_exact_in(pair.to_pool([array]), 250, swap_for_y=True, now=0)

    assert swap.amount_out == 250
    after = array_after(array, swap, swap_for_y=True)
    assert after.version == version
    assert after.bin(0) == replace(
        orders,
        open_order_amount=0,
        total_processing_order_amount=1_000,
        processed_order_remaining_amount=750,
        fulfilled_order_amount_y=250,
        order_age=8,
    )


def test_a_bin_without_a_price_gets_the_price_of_its_id() -> None:
    array = BinArray(0, 2, bytes(7), KEY).with_bin(0, Bin(amount_x=1))
    (found,) = array.liquid_bins(25)
    assert found.price == 1 << 64
