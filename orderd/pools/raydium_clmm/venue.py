"""The venue of Raydium's CLMM pools."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.side import Side
from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.pools.raydium_clmm.accounts import (
    AmmConfig,
    PoolState,
    PoolStatus,
    TickArrayBitmapExtension,
    TickArrayState,
)
from orderd.pools.raydium_clmm.addresses import bitmap_extension_address, tick_array_address
from orderd.pools.raydium_clmm.instructions import SwapV2, swap
from orderd.pools.raydium_clmm.maths.pool import ClmmPool, swap_exact_in, swap_exact_out
from orderd.pools.raydium_clmm.maths.side import ClmmSide
from orderd.pools.raydium_clmm.program import PROGRAM
from orderd.pools.raydium_clmm.tick_arrays import array_start, arrays_in_order, needs_extension
from orderd.solana.programs.layout import LayoutError
from orderd.solana.rpc import ChainAccount
from orderd.venues.account_facts import opening
from orderd.venues.array_venue import ARRAYS_PER_DIRECTION, ArrayVenue, up_to_spare
from orderd.venues.known_pools import KnownPool, PoolMoment, Trade
from orderd.venues.pool_layout import PoolLayout


@dataclass(frozen=True, slots=True)
class ClmmAccounts:
    """A pool's account, the start indices of the next tick arrays in either direction, and the pool for the maths."""

    address: Pubkey
    state: PoolState
    arrays_down: tuple[int, ...]
    arrays_up: tuple[int, ...]
    amm: ClmmPool


class RaydiumClmm(ArrayVenue[PoolState, ClmmAccounts]):
    program = PROGRAM
    layout = PoolLayout(PoolState, mints=("mint_0", "mint_1"), vaults=("vault_0", "vault_1"), has_sorted_mints=True)
    size = 250
    size_shared = 64
    buys_taxed_exactly = (
        False  # the program compares the amount that it sends, without the transfer fee, with the requested one
    )

    def _keys(self, known: KnownPool[PoolState]) -> list[Pubkey]:
        address = known.address
        latest = self._latest.get(str(address))
        arrays = (
            self._arrays_of(latest)
            if latest is not None
            else self._array_addresses(address, *_arrays(known.state, None))
        )
        extension = bitmap_extension_address(address, self._program_id)
        return [address, known.state.amm_config, extension, *arrays]

    def _pool(self, known: KnownPool[PoolState], accounts: Mapping[Pubkey, ChainAccount | None]) -> ClmmAccounts:
        address = known.address
        pool, config = accounts[address], accounts[known.state.amm_config]
        extension = accounts[bitmap_extension_address(address, self._program_id)]
        if pool is None or config is None:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {address} no longer exists")
        state, rates = self._decode(pool), AmmConfig.decode(config.data)
        bitmap = None if extension is None else TickArrayBitmapExtension.decode(extension.data)
        down, up = _arrays(state, bitmap)
        arrays = [_tick_array(accounts[key]) for key in self._array_addresses(address, down, up) if key in accounts]
        return ClmmAccounts(address, state, down, up, state.to_pool(rates, arrays))

    def _arrays_of(self, pool: ClmmAccounts) -> list[Pubkey]:
        return self._array_addresses(pool.address, pool.arrays_down, pool.arrays_up)

    def _array_addresses(self, pool: Pubkey, down: tuple[int, ...], up: tuple[int, ...]) -> list[Pubkey]:
        """The arrays' addresses, without duplicates: the array of the price is in both directions."""
        starts = dict.fromkeys([*down, *up])
        return [tick_array_address(pool, start, self._program_id) for start in starts]

    def _arrays_ahead(self, pool: ClmmAccounts, mint_in: str) -> int:
        return len(pool.arrays_down if str(pool.state.mint_0) == mint_in else pool.arrays_up)

    def _side(self, pool: ClmmAccounts, mint_in: str, now: PoolMoment) -> Side:
        state = pool.state
        if state.status & PoolStatus.SWAP_DISABLED:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} has swaps switched off")
        if not state.accepts_swaps(now.unix_time):
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} opens at {opening(state.open_time)}")
        return ClmmSide(pool.amm, zero_for_one=str(state.mint_0) == mint_in, now=now.unix_time)

    def _swap(self, pool: ClmmAccounts, trade: Trade) -> Instruction:
        zero_for_one = str(pool.state.mint_0) == trade.mint_in
        arrays = pool.arrays_down if zero_for_one else pool.arrays_up
        if trade.small:
            arrays = up_to_spare(arrays, self._last_array(pool, trade, zero_for_one=zero_for_one))
        order = SwapV2(trade.amount_in, trade.amount_out)
        if trade.exact_out:
            order = SwapV2(trade.amount_out, trade.amount_in, is_base_input=False)
        return swap(
            order,
            pool.address,
            pool.state,
            trade.owner,
            trade.source,
            trade.destination,
            zero_for_one=zero_for_one,
            tick_arrays=arrays,
            names_bitmap_extension=needs_extension(pool.state, arrays),
            program_id=self._program_id,
        )

    def _last_array(self, pool: ClmmAccounts, trade: Trade, *, zero_for_one: bool) -> int | None:
        """The array in which a swap would end now; None if the pool has moved since the quote and cannot fill the
        swap."""
        swap_exact, amount = (swap_exact_out, trade.amount_out) if trade.exact_out else (swap_exact_in, trade.amount_in)
        try:
            swap = swap_exact(pool.amm, amount, zero_for_one=zero_for_one, now=int(self._unix_time()))
        except SwapError:
            return None
        return array_start(swap.pool.tick_current, pool.state.tick_spacing)


VENUE: Final = RaydiumClmm


def _arrays(state: PoolState, bitmap: TickArrayBitmapExtension | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first arrays with initialized ticks from the price down, and from it up."""
    down = islice(arrays_in_order(state, bitmap, zero_for_one=True), ARRAYS_PER_DIRECTION)
    up = islice(arrays_in_order(state, bitmap, zero_for_one=False), ARRAYS_PER_DIRECTION)
    return tuple(down), tuple(up)


def _tick_array(account: ChainAccount | None) -> TickArrayState:
    """Decode a tick array. Raises LayoutError, also if an array of the bitmap is missing: a quote would skip its
    liquidity."""
    if account is None:
        raise LayoutError("a tick array is missing")
    return TickArrayState.decode(account.data)
