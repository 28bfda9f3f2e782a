"""The state that the program writes to a Meteora DLMM pool's accounts after a swap."""

import struct
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from orderd.pools.meteora_dlmm.accounts import BitmapExtension, LbPair
from orderd.pools.meteora_dlmm.bin_array import BINS_PER_ARRAY, BinArray
from orderd.pools.meteora_dlmm.bitmap import INTERNAL
from orderd.pools.meteora_dlmm.maths.pool import DlmmPool, DlmmSwap
from orderd.simnet.codec import replaced

_SUPPLY_AND_ORDERS: Final = struct.Struct("<32x16s64xQ8xQ8x")
"""The fields of a Bin that show whether it is empty. Unpacked for all 70 bins of an array at once."""


def pair_after(pair: LbPair, pool: DlmmPool) -> LbPair:
    """The pair's account after a swap; ``pool`` is the state after it. The bins are in the bin arrays."""
    return replaced(
        pair,
        v_parameters=replaced(
            pair.v_parameters,
            volatility_accumulator=pool.volatility.volatility_accumulator,
            volatility_reference=pool.volatility.volatility_reference,
            index_reference=pool.volatility.index_reference,
            last_update_timestamp=pool.volatility.last_update_timestamp,
        ),
        active_id=pool.active_id,
        protocol_fee_x=pool.protocol_fee_x,
        protocol_fee_y=pool.protocol_fee_y,
    )


def array_after(array: BinArray, swap: DlmmSwap, *, swap_for_y: bool) -> BinArray:
    """The bin array's account after a swap. Bins of other arrays are ignored."""
    fee_in_x = swap_for_y and swap.fee_on_input
    for each, kept in zip(swap.changed_bins, swap.kept_fees, strict=True):
        if each.bin_id // BINS_PER_ARRAY != array.index:
            continue
        before = array.bin(each.bin_id)
        shares = before.liquidity_supply >> 64
        growth = (kept << 64) // shares if shares else 0
        content = replaced(
            before,
            amount_x=each.amount_x,
            amount_y=each.amount_y,
            price=each.price,
            fulfilled_order_amount_x=each.fulfilled_order_amount_x,
            fulfilled_order_amount_y=each.fulfilled_order_amount_y,
            limit_order_fee_ask_side=each.limit_order_fee_ask_side,
            limit_order_fee_bid_side=each.limit_order_fee_bid_side,
            open_order_amount=each.open_order_amount,
            total_processing_order_amount=each.total_processing_order_amount,
            processed_order_remaining_amount=each.processed_order_remaining_amount,
            order_age=each.order_age,
            fee_amount_x_per_token_stored=before.fee_amount_x_per_token_stored + (growth if fee_in_x else 0),
            fee_amount_y_per_token_stored=before.fee_amount_y_per_token_stored + (0 if fee_in_x else growth),
        )
        array = array.with_bin(each.bin_id, content)
    return array


def is_empty(array: BinArray) -> bool:
    """Whether no bin has liquidity shares or unfilled orders. Unclaimed amounts do not count."""
    content = _SUPPLY_AND_ORDERS.iter_unpack(array.bins)
    return not any(opened or remaining or any(supply) for supply, opened, remaining in content)


def without(
    pair: LbPair, extension: BitmapExtension | None, emptied: Iterable[int]
) -> tuple[LbPair, BitmapExtension | None]:
    """The accounts after these arrays became empty: a swap that fills an array's last order clears its bit."""
    for index in emptied:
        if -INTERNAL <= index < INTERNAL:
            pair = replace(pair, bin_array_bitmap=pair.bin_array_bitmap & ~(1 << index + INTERNAL))
        elif extension is not None and index >= INTERNAL:
            extension = replace(extension, positive=extension.positive & ~(1 << index - INTERNAL))
        elif extension is not None:
            extension = replace(extension, negative=extension.negative & ~(1 << -INTERNAL - 1 - index))
    return pair, extension
