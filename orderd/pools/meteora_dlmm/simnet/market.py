"""Meteora DLMM's SOL/USDC pools for the simulated market."""

from dataclasses import dataclass
from itertools import islice
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.addresses import bin_array_address
from orderd.pools.meteora_dlmm.bitmap import arrays_in_order
from orderd.pools.meteora_dlmm.instructions import Swap2, swap
from orderd.pools.meteora_dlmm.maths import pool as dlmm
from orderd.pools.meteora_dlmm.simnet.bins import pool_of
from orderd.pools.meteora_dlmm.simnet.genesis import SOL_USDC_BS4, SOL_USDC_BS10, sol_usdc_bs4, sol_usdc_bs10
from orderd.simnet.codec import decoded
from orderd.simnet.genesis.accounts import SOL
from orderd.simnet.market_pools import ARRAYS_PER_SWAP, Read, TradedPool, accounts_of


@dataclass(frozen=True, slots=True)
class DlmmMarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return float(dlmm.spot_price(self._pair().to_pool(()), swap_for_y=True))

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        pair = self._pair()
        addresses = (bin_array_address(self.address, each) for each in _bins(pair, sells_sol=sells_sol))
        pool = pool_of(pair, (self.read(address).data for address in addresses))
        return dlmm.swap_exact_in(pool, amount_in, swap_for_y=sells_sol, now=now).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        pair = self._pair()
        return swap(
            Swap2(amount_in, minimum_out),
            self.address,
            pair,
            trader,
            *accounts_of(trader, sells_sol=sells_sol),
            bin_arrays=_bins(pair, sells_sol=sells_sol),
            has_bitmap_extension=False,
        )

    def _pair(self) -> LbPair:
        return decoded(LbPair, self.read(self.address).data)


def _bins(pair: LbPair, *, sells_sol: bool) -> list[int]:
    """The indices of the next bin arrays in this direction."""
    return list(islice(arrays_in_order(pair, None, swap_for_y=sells_sol), ARRAYS_PER_SWAP))


PLACES: Final = (
    TradedPool(SOL_USDC_BS4, DlmmMarketPool, 3, 6 * SOL, sol_usdc_bs4),
    TradedPool(SOL_USDC_BS10, DlmmMarketPool, 1, 6 * SOL, sol_usdc_bs10),
)
