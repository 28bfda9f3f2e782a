"""Finds the bin arrays of a Meteora DLMM pool with liquidity, and those that a swap crosses.

A pool's bitmap covers the arrays -512..511, its extension account 6,144 more on each side. Source of the bit order:
MeteoraAg/dlmm-sdk, ``commons/src/extensions/{lb_pair,bin_array_bitmap}.rs``.
"""

from collections.abc import Iterator
from typing import Final

from orderd.pools.meteora_dlmm.accounts import BitmapExtension, LbPair
from orderd.pools.meteora_dlmm.bin_array import BINS_PER_ARRAY
from orderd.solana.programs.layout import LayoutError

INTERNAL: Final = 512
EXTERNAL: Final = 6144
_LOWEST: Final = -INTERNAL - EXTERNAL


def array_index(bin_id: int) -> int:
    """The bin array that holds a bin."""
    return bin_id // BINS_PER_ARRAY


def arrays_in_order(pair: LbPair, extension: BitmapExtension | None, *, swap_for_y: bool) -> Iterator[int]:
    """The arrays with liquidity in the order of a swap: from the active bin's array down (``swap_for_y``) or up.

    Without an extension, the list ends at the bounds of the pool's bitmap. Raises LayoutError if the active bin is out
    of range.
    """
    if not _LOWEST <= array_index(pair.active_id) < -_LOWEST:
        raise LayoutError(f"bin {pair.active_id} is in no bin array")
    bits = pair.bin_array_bitmap << EXTERNAL
    if extension is not None:
        bits |= extension.positive << (EXTERNAL + 2 * INTERNAL) | _mirrored(extension.negative)
    start = array_index(pair.active_id) - _LOWEST
    return _downwards(bits & ((2 << start) - 1)) if swap_for_y else _upwards(bits >> start << start)


def _mirrored(negative: int) -> int:
    """The negative half of the extension in ascending order: bit i stands for array -513 - i."""
    return int(f"{negative:0{EXTERNAL}b}"[::-1], 2)


def _downwards(bits: int) -> Iterator[int]:
    while bits:
        top = bits.bit_length() - 1
        yield top + _LOWEST
        bits ^= 1 << top


def _upwards(bits: int) -> Iterator[int]:
    while bits:
        yield (bits & -bits).bit_length() - 1 + _LOWEST
        bits &= bits - 1
