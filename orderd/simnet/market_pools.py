"""The SOL/USDC pools as a trader sees them: a price, a quote, and the instruction that swaps."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2 import program as meteora_damm_v2
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2
from orderd.pools.meteora_dlmm import bitmap as dlmm_bitmap
from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.meteora_dlmm.maths import pool as dlmm
from orderd.pools.meteora_dlmm.simnet.handler import pool_of as dlmm_pool_of
from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4
from orderd.pools.raydium_amm_v4.maths import pool as amm_v4
from orderd.pools.raydium_clmm import program as raydium_clmm
from orderd.pools.raydium_clmm import tick_arrays as clmm_tick_arrays
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_clmm.simnet.arrays import pool_of as clmm_pool_of
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.pools.raydium_cpmm.maths import pool as cpmm
from orderd.simnet.account import Account
from orderd.simnet.codec import decoded
from orderd.simnet.genesis import USDC
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.token import TokenAccount

ARRAYS_A_SWAP = 2
"""Of bins or ticks: far more than a trade of the market's runs through."""

Read = Callable[[Pubkey], Account]
"""Where the pools' accounts are read from; they all exist."""


class MarketPool(Protocol):
    """One SOL/USDC pool at its newest state."""

    @property
    def address(self) -> Pubkey: ...

    def price(self) -> float:
        """USDC base units a lamport, before fees: a trader's view, not an amount of money."""
        ...

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        """What `amount_in` base units buy. Raises SwapError."""
        ...

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        """Swap between the trader's associated accounts."""
        ...


@dataclass(frozen=True, slots=True)
class CpmmMarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return float(cpmm.spot_price(self._pool(), zero_for_one=True))

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:  # noqa: ARG002  (no clock in this kind)
        return cpmm.swap_exact_in(self._pool(), amount_in, zero_for_one=sells_sol).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        order = raydium_cpmm.SwapBaseInput(amount_in, minimum_out)
        accounts = _accounts(trader, sells_sol=sells_sol)
        return raydium_cpmm.swap(order, self.address, self._state(), trader, *accounts, zero_for_one=sells_sol)

    def _state(self) -> raydium_cpmm.PoolState:
        return decoded(raydium_cpmm.PoolState, self.read(self.address).data)

    def _pool(self) -> cpmm.CpmmPool:
        state = self._state()
        config = decoded(raydium_cpmm.AmmConfig, self.read(state.amm_config).data)
        return state.to_pool(config, _held(self.read, state.vault_0), _held(self.read, state.vault_1))


@dataclass(frozen=True, slots=True)
class ClmmMarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return _squared(self._state().sqrt_price_x64)

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:  # noqa: ARG002  (no clock in this kind)
        state = self._state()
        config = decoded(raydium_clmm.AmmConfig, self.read(state.amm_config).data)
        addresses = (raydium_clmm.tick_array_address(self.address, each) for each in _ticks(state, sells_sol=sells_sol))
        pool = clmm_pool_of(state, config, (self.read(address).data for address in addresses))
        return clmm.swap_exact_in(pool, amount_in, zero_for_one=sells_sol).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        state = self._state()
        return raydium_clmm.swap(
            raydium_clmm.SwapV2(amount_in, minimum_out),
            self.address,
            state,
            trader,
            *_accounts(trader, sells_sol=sells_sol),
            zero_for_one=sells_sol,
            tick_arrays=_ticks(state, sells_sol=sells_sol),
            names_bitmap_extension=False,
        )

    def _state(self) -> raydium_clmm.PoolState:
        return decoded(raydium_clmm.PoolState, self.read(self.address).data)


@dataclass(frozen=True, slots=True)
class AmmV4MarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return float(amm_v4.spot_price(self._pool(), coin_to_pc=True))

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:  # noqa: ARG002  (no clock in this kind)
        return amm_v4.swap_exact_in(self._pool(), amount_in, coin_to_pc=sells_sol).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        order = raydium_amm_v4.SwapBaseInV2(amount_in, minimum_out)
        accounts = _accounts(trader, sells_sol=sells_sol)
        return raydium_amm_v4.swap(order, self.address, self._state(), trader, *accounts)

    def _state(self) -> raydium_amm_v4.AmmInfo:
        return decoded(raydium_amm_v4.AmmInfo, self.read(self.address).data)

    def _pool(self) -> amm_v4.AmmV4Pool:
        state = self._state()
        return state.to_pool(_held(self.read, state.coin_vault), _held(self.read, state.pc_vault))


@dataclass(frozen=True, slots=True)
class DlmmMarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return float(dlmm.spot_price(self._pair().to_pool(()), swap_for_y=True))

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        pair = self._pair()
        addresses = (meteora_dlmm.bin_array_address(self.address, each) for each in _bins(pair, sells_sol=sells_sol))
        pool = dlmm_pool_of(pair, (self.read(address).data for address in addresses))
        return dlmm.swap_exact_in(pool, amount_in, swap_for_y=sells_sol, now=now).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        pair = self._pair()
        return meteora_dlmm.swap(
            meteora_dlmm.Swap2(amount_in, minimum_out),
            self.address,
            pair,
            trader,
            *_accounts(trader, sells_sol=sells_sol),
            bin_arrays=_bins(pair, sells_sol=sells_sol),
            has_bitmap_extension=False,
        )

    def _pair(self) -> meteora_dlmm.LbPair:
        return decoded(meteora_dlmm.LbPair, self.read(self.address).data)


@dataclass(frozen=True, slots=True)
class DammV2MarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return _squared(self._state().sqrt_price)

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        pool = self._state().to_pool()
        return damm_v2.swap_exact_in(pool, amount_in, a_to_b=sells_sol, now=now, point=now).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        order = meteora_damm_v2.Swap2(amount_in, minimum_out)
        accounts = _accounts(trader, sells_sol=sells_sol)
        return meteora_damm_v2.swap(order, self.address, self._state(), trader, *accounts)

    def _state(self) -> meteora_damm_v2.Pool:
        return decoded(meteora_damm_v2.Pool, self.read(self.address).data)


def _ticks(state: raydium_clmm.PoolState, *, sells_sol: bool) -> list[int]:
    """The start indices of the next tick arrays in this direction."""
    return list(islice(clmm_tick_arrays.arrays_in_order(state, None, zero_for_one=sells_sol), ARRAYS_A_SWAP))


def _bins(pair: meteora_dlmm.LbPair, *, sells_sol: bool) -> list[int]:
    """The indices of the next bin arrays in this direction."""
    return list(islice(dlmm_bitmap.arrays_in_order(pair, None, swap_for_y=sells_sol), ARRAYS_A_SWAP))


def _held(read: Read, vault: Pubkey) -> int:
    return decoded(TokenAccount, read(vault).data).amount


def _squared(sqrt_price: int) -> float:
    """The price behind a Q64.64 square root."""
    root: float = sqrt_price / (1 << 64)
    return root * root


def _accounts(trader: Pubkey, *, sells_sol: bool) -> tuple[Pubkey, Pubkey]:
    """What the trader pays from, and receives on."""
    sol, usdc = associated_token.address(trader, token.NATIVE_MINT), associated_token.address(trader, USDC)
    return (sol, usdc) if sells_sol else (usdc, sol)
