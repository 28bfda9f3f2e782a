"""The venue of Meteora's DLMM pools."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.side import Side
from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.pools.meteora_dlmm.accounts import (
    ActivationType,
    BitmapExtension,
    LbPair,
    PairStatus,
)
from orderd.pools.meteora_dlmm.addresses import bin_array_address, bitmap_extension_address
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.bitmap import array_index, arrays_in_order
from orderd.pools.meteora_dlmm.instructions import Swap2, SwapExactOut2, swap
from orderd.pools.meteora_dlmm.maths.pool import DlmmPool, swap_exact_in, swap_exact_out
from orderd.pools.meteora_dlmm.maths.side import DlmmSide
from orderd.pools.meteora_dlmm.program import PROGRAM
from orderd.solana.programs.layout import LayoutError
from orderd.solana.rpc import ChainAccount
from orderd.venues.array_venue import ARRAYS_PER_DIRECTION, ArrayVenue, up_to_spare
from orderd.venues.known_pools import KnownPool, PoolMoment, Trade
from orderd.venues.pool_layout import PoolLayout


@dataclass(frozen=True, slots=True)
class DlmmAccounts:
    """A pool's account, the next bin arrays in either direction, and the pool for the maths."""

    address: Pubkey
    state: LbPair
    has_bitmap_extension: bool
    arrays_down: tuple[int, ...]
    arrays_up: tuple[int, ...]
    amm: DlmmPool


class MeteoraDlmm(ArrayVenue[LbPair, DlmmAccounts]):
    program = PROGRAM
    layout = PoolLayout(LbPair, mints=("mint_x", "mint_y"), vaults=("reserve_x", "reserve_y"))
    size = 208
    size_shared = 64

    def _keys(self, known: KnownPool[LbPair]) -> list[Pubkey]:
        address = known.address
        latest = self._latest.get(str(address))
        arrays = self._arrays_of(latest) if latest is not None else _addresses(address, *_arrays(known.state, None))
        return [address, bitmap_extension_address(address), *arrays]

    def _pool(self, known: KnownPool[LbPair], accounts: Mapping[Pubkey, ChainAccount | None]) -> DlmmAccounts:
        address = known.address
        pair, extension = accounts[address], accounts[bitmap_extension_address(address)]
        if pair is None:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {address} no longer exists")
        state = self._decode(pair)
        state.check_flags()
        bitmap = None if extension is None else BitmapExtension.decode(extension.data)
        down, up = _arrays(state, bitmap)
        arrays = [_bin_array(accounts[key]) for key in _addresses(address, down, up) if key in accounts]
        return DlmmAccounts(address, state, bitmap is not None, down, up, state.to_pool(arrays))

    def _arrays_of(self, pool: DlmmAccounts) -> list[Pubkey]:
        return _addresses(pool.address, pool.arrays_down, pool.arrays_up)

    def _arrays_ahead(self, pool: DlmmAccounts, mint_in: str) -> int:
        return len(pool.arrays_down if str(pool.state.mint_x) == mint_in else pool.arrays_up)

    def _side(self, pool: DlmmAccounts, mint_in: str, now: PoolMoment) -> Side:
        state = pool.state
        if state.status != PairStatus.ENABLED:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} is switched off")
        if not state.is_open(slot=now.slot, unix_time=now.unix_time):
            unit = "slot" if state.activation_type == ActivationType.SLOT else "unix second"
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} opens at {unit} {state.activation_point}")
        return DlmmSide(pool.amm, swap_for_y=str(state.mint_x) == mint_in, now=now.unix_time)

    def _swap(self, pool: DlmmAccounts, trade: Trade) -> Instruction:
        swap_for_y = str(pool.state.mint_x) == trade.mint_in
        arrays = pool.arrays_down if swap_for_y else pool.arrays_up
        if trade.small:
            arrays = up_to_spare(arrays, self._last_array(pool.amm, trade, swap_for_y=swap_for_y))
        order = SwapExactOut2 if trade.exact_out else Swap2
        return swap(
            order(trade.amount_in, trade.amount_out),
            pool.address,
            pool.state,
            trade.owner,
            trade.source,
            trade.destination,
            bin_arrays=arrays,
            has_bitmap_extension=pool.has_bitmap_extension,
        )

    def _last_array(self, pool: DlmmPool, trade: Trade, *, swap_for_y: bool) -> int | None:
        """The array in which a swap would end now; None if the pool has moved since the quote and cannot fill the
        swap."""
        swap_exact, amount = (swap_exact_out, trade.amount_out) if trade.exact_out else (swap_exact_in, trade.amount_in)
        try:
            swap = swap_exact(pool, amount, swap_for_y=swap_for_y, now=int(self._unix_time()))
        except SwapError:
            return None
        return array_index(swap.end_bin_id)


VENUE: Final = MeteoraDlmm


def _arrays(state: LbPair, bitmap: BitmapExtension | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first arrays with liquidity from the active bin down, and from it up."""
    down = islice(arrays_in_order(state, bitmap, swap_for_y=True), ARRAYS_PER_DIRECTION)
    up = islice(arrays_in_order(state, bitmap, swap_for_y=False), ARRAYS_PER_DIRECTION)
    return tuple(down), tuple(up)


def _bin_array(account: ChainAccount | None) -> BinArray:
    """Decode a bin array. Raises LayoutError, also if an array of the bitmap is missing: a quote would skip its
    liquidity."""
    if account is None:
        raise LayoutError("a bin array is missing")
    return BinArray.decode(account.data)


def _addresses(pool: Pubkey, down: tuple[int, ...], up: tuple[int, ...]) -> list[Pubkey]:
    """The arrays' addresses, without duplicates: the active array is in both directions."""
    return [bin_array_address(pool, index) for index in dict.fromkeys([*down, *up])]
