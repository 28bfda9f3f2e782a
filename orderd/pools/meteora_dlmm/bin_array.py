"""The bins of a Meteora DLMM pool, in bin array accounts of 70 bins.

Layouts: MeteoraAg/dlmm-sdk, ``idls/dlmm.json`` (lb_clmm 0.12.0).
"""

import struct
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Final

from orderd.pools.meteora_dlmm.maths.pool import (
    DlmmBin,
    price_from_bin_id,
)
from orderd.solana.programs.layout import (
    I64,
    U8,
    U32,
    U64,
    U128,
    Key,
    LayoutError,
    Record,
    raw,
)

BINS_PER_ARRAY: Final = 70


@dataclass(frozen=True, slots=True)
class Bin(Record):
    """One bin, 144 bytes; ``price`` in Q64.64 (0 until first used), amounts in base units."""

    amount_x: U64 = 0
    amount_y: U64 = 0
    price: U128 = 0
    liquidity_supply: U128 = 0
    fulfilled_order_amount_x: U64 = 0
    fulfilled_order_amount_y: U64 = 0
    limit_order_fee_ask_side: U64 = 0
    limit_order_fee_bid_side: U64 = 0
    fee_amount_x_per_token_stored: U128 = 0
    fee_amount_y_per_token_stored: U128 = 0
    open_order_amount: U64 = 0
    total_processing_order_amount: U64 = 0
    processed_order_remaining_amount: U64 = 0
    order_age: U32 = 0
    limit_order_ask_side: U8 = 0
    padding: Annotated[bytes, raw(3)] = bytes(3)


BIN_SIZE: Final = 144
_SWAPPED_FIELDS: Final = struct.Struct("<QQ16s16xQQQQ32xQQQIB3x")
"""The fields of a Bin that swaps use. Unpacked for all 70 bins of an array at once, because that is faster."""


@dataclass(frozen=True, slots=True)
class BinArray(Record):
    """70 bins from bin ``index * 70`` on, 10136 bytes. The bins are decoded on demand."""

    DISCRIMINATOR = bytes.fromhex("5c8e5cdc059446b5")
    index: I64
    version: U8
    padding: Annotated[bytes, raw(7)]
    lb_pair: Key
    bins: Annotated[bytes, raw(BINS_PER_ARRAY * BIN_SIZE)] = bytes(BINS_PER_ARRAY * BIN_SIZE)

    @property
    def first_bin_id(self) -> int:
        return self.index * BINS_PER_ARRAY

    def bin(self, bin_id: int) -> Bin:
        """Raises LayoutError for a bin of another array."""
        start = self._start(bin_id)
        return Bin.decode(self.bins[start : start + BIN_SIZE])

    def with_bin(self, bin_id: int, content: Bin) -> "BinArray":
        start = self._start(bin_id)
        return replace(self, bins=self.bins[:start] + content.encode() + self.bins[start + BIN_SIZE :])

    def liquid_bins(self, bin_step: int) -> tuple[DlmmBin, ...]:
        """The bins with liquidity or limit orders, for the maths."""
        return _liquid_bins(self.bins, self.first_bin_id, bin_step)

    def _start(self, bin_id: int) -> int:
        if not 0 <= bin_id - self.first_bin_id < BINS_PER_ARRAY:
            raise LayoutError(f"bin {bin_id} is not in bin array {self.index}")
        return (bin_id - self.first_bin_id) * BIN_SIZE


@lru_cache(maxsize=256)
def _liquid_bins(bins: bytes, first_bin_id: int, bin_step: int) -> tuple[DlmmBin, ...]:
    """Cached by content, because few of a pool's arrays change from one slot to the next."""
    found = []
    for bin_id, fields in enumerate(_SWAPPED_FIELDS.iter_unpack(bins), first_bin_id):
        x, y, price, done_x, done_y, ask_fee, bid_fee, opened, total, remaining, age, ask_side = fields
        if x or y or opened or remaining:
            found.append(
                DlmmBin(
                    bin_id=bin_id,
                    amount_x=x,
                    amount_y=y,
                    price=int.from_bytes(price, "little") or price_from_bin_id(bin_step, bin_id),
                    open_order_amount=opened,
                    total_processing_order_amount=total,
                    processed_order_remaining_amount=remaining,
                    limit_order_ask_side=bool(ask_side),
                    order_age=age,
                    fulfilled_order_amount_x=done_x,
                    fulfilled_order_amount_y=done_y,
                    limit_order_fee_ask_side=ask_fee,
                    limit_order_fee_bid_side=bid_fee,
                )
            )
    return tuple(found)
