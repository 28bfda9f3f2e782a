"""Which bin arrays of a Meteora DLMM pool exist, and which of them a swap runs through.

A pool's bitmap knows the arrays -512..511, its extension account 6,144 more on each side. Source of the bit order:
MeteoraAg/dlmm-sdk, `commons/src/extensions/{lb_pair,bin_array_bitmap}.rs`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from orderd.pools.meteora_dlmm.program import BINS_AN_ARRAY, BitmapExtension, LbPair
from orderd.solana.programs.layout import LayoutError

INTERNAL: Final = 512
EXTERNAL: Final = 6144
_LOWEST: Final = -INTERNAL - EXTERNAL


def array_index(bin_id: int) -> int:
    """The bin array that holds a bin."""
    return bin_id // BINS_AN_ARRAY


def arrays_in_order(pair: LbPair, extension: BitmapExtension | None, *, swap_for_y: bool) -> Iterator[int]:
    """The arrays with liquidity as a swap meets them: from the active bin's down (`swap_for_y`) or up.

    Where the walk leaves the pool's own bitmap and no extension is given, it ends. Raises LayoutError where no array
    can hold the active bin.
    """
    if not _LOWEST <= array_index(pair.active_id) < -_LOWEST:
        raise LayoutError(f"bin {pair.active_id} is in no bin array")
    bits = pair.bin_array_bitmap << EXTERNAL
    if extension is not None:
        bits |= extension.positive << (EXTERNAL + 2 * INTERNAL) | _mirrored(extension.negative)
    start = array_index(pair.active_id) - _LOWEST
    return _downwards(bits & ((2 << start) - 1)) if swap_for_y else _upwards(bits >> start << start)


def without(
    pair: LbPair, extension: BitmapExtension | None, emptied: Iterable[int]
) -> tuple[LbPair, BitmapExtension | None]:
    """The accounts once these arrays have nothing left: a swap that fills an array's last order takes its bit away."""
    for index in emptied:
        if -INTERNAL <= index < INTERNAL:
            pair = replace(pair, bin_array_bitmap=pair.bin_array_bitmap & ~(1 << index + INTERNAL))
        elif extension is not None and index >= INTERNAL:
            extension = replace(extension, positive=extension.positive & ~(1 << index - INTERNAL))
        elif extension is not None:
            extension = replace(extension, negative=extension.negative & ~(1 << -INTERNAL - 1 - index))
    return pair, extension


def internal_bitmap(indices: Iterable[int]) -> int:
    """LbPair.bin_array_bitmap for these arrays, each within -512..511."""
    return sum(1 << (index + INTERNAL) for index in set(indices))


def _mirrored(negative: int) -> int:
    """Bit i, which stands for array -513 - i, moved to where ascending order has it."""
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
