"""Raydium's constant product pools (CPMM)."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm import cpmm
from orderd.amm.price import price_impact
from orderd.amm.swap import SwapError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import PoolKind, QuoteRequest, VenueName, VenueQuote
from orderd.solana.programs import raydium_cpmm
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.raydium_cpmm import AmmConfig, PoolState, PoolStatus, SwapBaseInput
from orderd.solana.rpc import Account, Memcmp, RpcClient
from orderd.venues.base import impact_bps, refusal_of
from orderd.venues.pool_venue import KnownPool, PoolVenue, token_amount


@dataclass(frozen=True, slots=True)
class RaydiumPool:
    """A pool's account and what the maths needs of it and its vaults."""

    address: Pubkey
    state: PoolState
    amm: cpmm.CpmmPool

    def is_zero_for_one(self, mint_in: str) -> bool:
        return str(self.state.mint_0) == mint_in


class Raydium(PoolVenue[PoolState, RaydiumPool]):
    """Each read takes a pool's state, its fee configuration and both vaults in one request."""

    name = VenueName.RAYDIUM
    kind = PoolKind.RAYDIUM_CPMM

    def __init__(
        self,
        rpc: RpcClient,
        *,
        addresses: Collection[str] = (),
        max_age_ms: int = 400,
        program_id: Pubkey = raydium_cpmm.PROGRAM_ID,
        clock: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        """`program_id` is another on devnet."""
        super().__init__(rpc, addresses=addresses, max_age_ms=max_age_ms, clock=clock, unix_time=unix_time)
        self._program_id = program_id

    def _discover(self, pair: tuple[Pubkey, Pubkey]) -> list[tuple[Pubkey, Account]]:
        mint_0, mint_1 = sorted(pair, key=bytes)
        filters = Memcmp(raydium_cpmm.MINT_0_OFFSET, mint_0), Memcmp(raydium_cpmm.MINT_1_OFFSET, mint_1)
        found = self._rpc.get_program_accounts(self._program_id, size=PoolState.size(), memcmp=filters)
        return [(each.key, each.account) for each in found.value]

    def _decode(self, account: Account) -> PoolState:
        if account.owner != self._program_id:
            raise LayoutError(f"the account belongs to {account.owner}, not to Raydium CPMM")
        return PoolState.decode(account.data)

    def _sides(self, state: PoolState) -> tuple[tuple[Pubkey, Pubkey, Pubkey], tuple[Pubkey, Pubkey, Pubkey]]:
        return (
            (state.mint_0, state.token_0_program, state.vault_0),
            (state.mint_1, state.token_1_program, state.vault_1),
        )

    def _read_pools(self, known: Sequence[KnownPool[PoolState]]) -> tuple[int, list[RaydiumPool | OrderdError]]:
        keys = [
            key
            for pool in known
            for key in (pool.address, pool.state.amm_config, pool.state.vault_0, pool.state.vault_1)
        ]
        reply = self._rpc.get_multiple_accounts(keys)
        pools = [self._pool(each, reply.value[4 * index : 4 * index + 4]) for index, each in enumerate(known)]
        return reply.slot, pools

    def _pool(self, known: KnownPool[PoolState], accounts: Sequence[Account | None]) -> RaydiumPool | OrderdError:
        pool, config, vault_0, vault_1 = accounts
        if pool is None or config is None:
            return OrderdError(ErrorCode.POOL_CLOSED, f"pool {known.address} no longer exists")
        try:
            state, rates = self._decode(pool), AmmConfig.decode(config.data)
        except LayoutError as error:
            return OrderdError(ErrorCode.POOL_UNSUPPORTED, f"pool {known.address} cannot be read: {error}")
        return RaydiumPool(known.address, state, state.to_pool(rates, token_amount(vault_0), token_amount(vault_1)))

    def _quote_pool(self, address: str, pool: RaydiumPool, slot: int, request: QuoteRequest) -> VenueQuote:
        self._check_open(pool)
        zero_for_one = pool.is_zero_for_one(request.mint_in)
        try:
            swap = cpmm.swap_exact_in(pool.amm, request.amount_in, zero_for_one=zero_for_one)
            spot = cpmm.spot_price(pool.amm, zero_for_one=zero_for_one)
        except SwapError as error:
            raise refusal_of(error, address) from error
        return VenueQuote(
            venue=self.name,
            pool=address,
            pool_kind=self.kind,
            mint_in=request.mint_in,
            mint_out=request.mint_out,
            amount_in=request.amount_in,
            amount_out=swap.amount_out,
            fee=_fee_in_input(swap),
            fee_mint=request.mint_in,
            price_impact_bps=impact_bps(price_impact(swap.net_in, swap.gross_out, spot)),
            slot=slot,
        )

    def _check_open(self, pool: RaydiumPool) -> None:
        if pool.state.status & PoolStatus.SWAP_DISABLED:
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} has swaps switched off")
        if not pool.state.accepts_swaps(int(self._unix_time())):
            raise OrderdError(ErrorCode.POOL_CLOSED, f"pool {pool.address} opens at {_at(pool.state.open_time)}")

    def _token_programs(self, pool: RaydiumPool, mint_in: str) -> tuple[Pubkey, Pubkey]:
        programs = pool.state.token_0_program, pool.state.token_1_program
        return programs if pool.is_zero_for_one(mint_in) else (programs[1], programs[0])

    def _swap(
        self,
        pool: RaydiumPool,
        quote: VenueQuote,
        owner: Pubkey,
        source: Pubkey,
        destination: Pubkey,
        min_amount_out: int,
    ) -> Instruction:
        return raydium_cpmm.swap(
            SwapBaseInput(quote.amount_in, min_amount_out),
            pool.address,
            pool.state,
            owner,
            source,
            destination,
            zero_for_one=pool.is_zero_for_one(quote.mint_in),
            program_id=self._program_id,
        )


def _fee_in_input(swap: cpmm.CpmmSwap) -> int:
    """All fees in the input token; a creator's fee on the output is converted at the swap's own price, rounded up."""
    if swap.creator_fee_on_input:
        return swap.trade_fee + swap.creator_fee
    return swap.trade_fee - (-swap.creator_fee * swap.net_in // swap.gross_out)


def _at(unix_time: int) -> str:
    """A pool can name any u64 as its time, also one that no calendar has."""
    try:
        return datetime.fromtimestamp(unix_time, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"unix second {unix_time}"
