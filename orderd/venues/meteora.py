"""Meteora's pools of price bins (DLMM)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm import dlmm
from orderd.amm.price import price_impact
from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import PoolKind, QuoteRequest, VenueName, VenueQuote
from orderd.solana.programs import meteora_dlmm
from orderd.solana.programs.dlmm_bitmap import arrays_in_order
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.meteora_dlmm import ActivationType, BinArray, BitmapExtension, LbPair, PairStatus, Swap2
from orderd.solana.rpc import Account, Memcmp
from orderd.venues.base import impact_bps, refusal_of
from orderd.venues.pool_venue import KnownPool, PoolVenue

ARRAYS_A_DIRECTION: Final = 3
"""Bin arrays a swap may run through, 70 prices each: as many as fit the transaction's size and compute budget."""
_READS: Final = 3


@dataclass(frozen=True, slots=True)
class MeteoraPool:
    """A pool's account, the bin arrays a swap meets in either direction, and what the maths needs of them."""

    address: Pubkey
    state: LbPair
    has_bitmap_extension: bool
    arrays_down: tuple[int, ...]
    arrays_up: tuple[int, ...]
    amm: dlmm.DlmmPool

    def is_swap_for_y(self, mint_in: str) -> bool:
        return str(self.state.mint_x) == mint_in

    def array_addresses(self) -> list[Pubkey]:
        return _addresses(self.address, self.arrays_down, self.arrays_up)


class Meteora(PoolVenue[LbPair, MeteoraPool]):
    """Each read takes a pool's state and the bin arrays around the price in one request.

    Which arrays these are follows from the state itself: the last known one tells what to ask for, and where the price
    has left those arrays by now, the read is made again.
    """

    name = VenueName.METEORA
    kind = PoolKind.METEORA_DLMM

    def _discover(self, pair: tuple[Pubkey, Pubkey]) -> list[tuple[Pubkey, Account]]:
        found = []
        for mint_x, mint_y in (pair, pair[::-1]):
            filters = Memcmp(meteora_dlmm.MINT_X_OFFSET, mint_x), Memcmp(meteora_dlmm.MINT_Y_OFFSET, mint_y)
            reply = self._rpc.get_program_accounts(meteora_dlmm.PROGRAM_ID, size=LbPair.size(), memcmp=filters)
            found += [(each.key, each.account) for each in reply.value]
        return found

    def _decode(self, account: Account) -> LbPair:
        if account.owner != meteora_dlmm.PROGRAM_ID:
            raise LayoutError(f"the account belongs to {account.owner}, not to Meteora DLMM")
        return LbPair.decode(account.data)

    def _sides(self, state: LbPair) -> tuple[tuple[Pubkey, Pubkey, Pubkey], tuple[Pubkey, Pubkey, Pubkey]]:
        return (
            (state.mint_x, state.token_x_program, state.reserve_x),
            (state.mint_y, state.token_y_program, state.reserve_y),
        )

    def _read_pools(self, known: Sequence[KnownPool[LbPair]]) -> tuple[int, list[MeteoraPool | OrderdError]]:
        keys = [key for pool in known for key in self._expected_keys(pool)]
        for _ in range(_READS):
            reply = self._rpc.get_multiple_accounts(keys)
            accounts = dict(zip(keys, reply.value, strict=True))
            pools = [self._pool(pool, accounts) for pool in known]
            needed = [key for pool in pools if isinstance(pool, MeteoraPool) for key in pool.array_addresses()]
            if accounts.keys() >= set(needed):
                return reply.slot, pools
            keys = list(dict.fromkeys([*keys, *needed]))
        raise OrderdError(ErrorCode.RPC_UNAVAILABLE, f"{self.name}: prices moved faster than they could be read")

    def _expected_keys(self, known: KnownPool[LbPair]) -> list[Pubkey]:
        """The pool, its bitmap extension, and the bin arrays that its last known state leads to."""
        address = known.address
        latest = self._latest.get(str(address))
        if latest is not None:
            arrays = latest.array_addresses()
        else:
            down, up = _arrays(known.state, None)
            arrays = _addresses(address, down, up)
        return [address, meteora_dlmm.bitmap_extension_address(address), *arrays]

    def _pool(self, known: KnownPool[LbPair], accounts: Mapping[Pubkey, Account | None]) -> MeteoraPool | OrderdError:
        address = known.address
        pair, extension = accounts[address], accounts[meteora_dlmm.bitmap_extension_address(address)]
        if pair is None:
            return OrderdError(ErrorCode.POOL_CLOSED, f"pool {address} no longer exists")
        try:
            state = self._decode(pair)
            bitmap = None if extension is None else BitmapExtension.decode(extension.data)
            down, up = _arrays(state, bitmap)
            arrays = [_bin_array(accounts[key]) for key in _addresses(address, down, up) if key in accounts]
        except LayoutError as error:
            return OrderdError(ErrorCode.POOL_UNSUPPORTED, f"pool {address} cannot be read: {error}")
        return MeteoraPool(address, state, bitmap is not None, down, up, state.to_pool(arrays))

    def _quote_pool(self, address: str, pool: MeteoraPool, slot: int, request: QuoteRequest) -> VenueQuote:
        now = int(self._unix_time())
        _check_open(pool, slot, now)
        swap_for_y = pool.is_swap_for_y(request.mint_in)
        try:
            swap = dlmm.swap_exact_in(pool.amm, request.amount_in, swap_for_y=swap_for_y, now=now)
        except SwapError as error:
            raise refusal_of(error, address) from error
        spot = dlmm.spot_price(pool.amm, swap_for_y=swap_for_y)
        return VenueQuote(
            venue=self.name,
            pool=address,
            pool_kind=self.kind,
            mint_in=request.mint_in,
            mint_out=request.mint_out,
            amount_in=request.amount_in,
            amount_out=swap.amount_out,
            fee=swap.fee,
            fee_mint=request.mint_in if swap.fee_on_input else request.mint_out,
            price_impact_bps=impact_bps(price_impact(swap.net_in, swap.gross_out, spot)),
            slot=slot,
        )

    def _token_programs(self, pool: MeteoraPool, mint_in: str) -> tuple[Pubkey, Pubkey]:
        programs = pool.state.token_x_program, pool.state.token_y_program
        return programs if pool.is_swap_for_y(mint_in) else (programs[1], programs[0])

    def _swap(
        self,
        pool: MeteoraPool,
        quote: VenueQuote,
        owner: Pubkey,
        source: Pubkey,
        destination: Pubkey,
        min_amount_out: int,
    ) -> Instruction:
        # All arrays that were read go along, not only those the quote ran through: the price may move until it lands.
        return meteora_dlmm.swap(
            Swap2(quote.amount_in, min_amount_out),
            pool.address,
            pool.state,
            owner,
            source,
            destination,
            bin_arrays=pool.arrays_down if pool.is_swap_for_y(quote.mint_in) else pool.arrays_up,
            has_bitmap_extension=pool.has_bitmap_extension,
        )


def _check_open(pool: MeteoraPool, slot: int, unix_time: int) -> None:
    if pool.state.status != PairStatus.ENABLED:
        raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} is switched off")
    if not pool.state.is_open(slot=slot, unix_time=unix_time):
        unit = "slot" if pool.state.activation_type == ActivationType.SLOT else "unix second"
        raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} opens at {unit} {pool.state.activation_point}")


def _arrays(state: LbPair, bitmap: BitmapExtension | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first arrays with liquidity from the active bin down, and from it up."""
    down = islice(arrays_in_order(state, bitmap, swap_for_y=True), ARRAYS_A_DIRECTION)
    up = islice(arrays_in_order(state, bitmap, swap_for_y=False), ARRAYS_A_DIRECTION)
    return tuple(down), tuple(up)


def _bin_array(account: Account | None) -> BinArray:
    """Raises LayoutError, also where an array that the bitmap names is not there: a swap would skip its liquidity."""
    if account is None:
        raise LayoutError("a bin array is missing")
    return BinArray.decode(account.data)


def _addresses(pool: Pubkey, down: tuple[int, ...], up: tuple[int, ...]) -> list[Pubkey]:
    """The active array is in both ways, and once among the addresses."""
    return [meteora_dlmm.bin_array_address(pool, index) for index in dict.fromkeys([*down, *up])]
