"""Builds a pool from bin array accounts, with a cache of decoded bins."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.maths import pool as dlmm
from orderd.simnet.codec import decoded


class Bins:
    """Cache of decoded bins by the bytes of their array, because decoding them for each swap would be slow."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bins: OrderedDict[bytes, dict[int, dlmm.DlmmBin]] = OrderedDict()

    def of(self, array: BinArray, data: bytes, bin_step: int) -> dict[int, dlmm.DlmmBin]:
        """The bins of an array with liquidity or orders; ``data`` is the array's account data."""
        bins = self._bins.get(data)
        if bins is None:
            bins = {each.bin_id: each for each in array.liquid_bins(bin_step)}
            self.put(data, bins)
        return bins

    def put(self, data: bytes, bins: dict[int, dlmm.DlmmBin]) -> None:
        self._bins[data] = bins
        if len(self._bins) > self._most:
            self._bins.popitem(last=False)


BINS: Final = Bins(most=256)


def pool_of(pair: LbPair, arrays: Iterable[bytes]) -> dlmm.DlmmPool:
    """The pool with the liquidity of these bin array accounts. Raises LayoutError."""
    bins: list[dlmm.DlmmBin] = []
    for data in arrays:
        bins.extend(BINS.of(decoded(BinArray, data), data, pair.bin_step).values())
    return replace(pair.to_pool(()), bins=dlmm.DlmmBins(bins))
