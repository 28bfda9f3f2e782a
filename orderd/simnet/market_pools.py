"""The SOL/USDC pools as a trader sees them: a price, a quote, and the instruction that swaps."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm import cpmm, dlmm
from orderd.simnet.account import Account
from orderd.simnet.codec import decoded
from orderd.simnet.genesis import USDC
from orderd.simnet.programs.meteora_dlmm import pool_of
from orderd.solana.programs import associated_token, meteora_dlmm, raydium_cpmm, token
from orderd.solana.programs.dlmm_bitmap import arrays_in_order
from orderd.solana.programs.meteora_dlmm import LbPair, Swap2
from orderd.solana.programs.raydium_cpmm import AmmConfig, PoolState, SwapBaseInput
from orderd.solana.programs.token import TokenAccount

BIN_ARRAYS_A_SWAP = 2

Read = Callable[[Pubkey], Account]
"""Where the pools' accounts are read from; they all exist."""


class MarketPool(Protocol):
    """One SOL/USDC pool at its newest state."""

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
        source, destination = _accounts(trader, sells_sol=sells_sol)
        order = SwapBaseInput(amount_in, minimum_out)
        return raydium_cpmm.swap(
            order, self.address, self._state(), trader, source, destination, zero_for_one=sells_sol
        )

    def _state(self) -> PoolState:
        return decoded(PoolState, self.read(self.address).data)

    def _pool(self) -> cpmm.CpmmPool:
        state = self._state()
        config = decoded(AmmConfig, self.read(state.amm_config).data)
        vault_0, vault_1 = (decoded(TokenAccount, self.read(each).data) for each in (state.vault_0, state.vault_1))
        return state.to_pool(config, vault_0.amount, vault_1.amount)


@dataclass(frozen=True, slots=True)
class DlmmMarketPool:
    address: Pubkey
    read: Read

    def price(self) -> float:
        return float(dlmm.spot_price(self._pair().to_pool(()), swap_for_y=True))

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        pair = self._pair()
        arrays = (
            self.read(meteora_dlmm.bin_array_address(self.address, index)).data
            for index in self._arrays(pair, sells_sol=sells_sol)
        )
        return dlmm.swap_exact_in(pool_of(pair, arrays), amount_in, swap_for_y=sells_sol, now=now).amount_out

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        pair = self._pair()
        source, destination = _accounts(trader, sells_sol=sells_sol)
        return meteora_dlmm.swap(
            Swap2(amount_in, minimum_out),
            self.address,
            pair,
            trader,
            source,
            destination,
            bin_arrays=self._arrays(pair, sells_sol=sells_sol),
            has_bitmap_extension=False,
        )

    def _pair(self) -> LbPair:
        return decoded(LbPair, self.read(self.address).data)

    def _arrays(self, pair: LbPair, *, sells_sol: bool) -> list[int]:
        return list(islice(arrays_in_order(pair, None, swap_for_y=sells_sol), BIN_ARRAYS_A_SWAP))


def _accounts(trader: Pubkey, *, sells_sol: bool) -> tuple[Pubkey, Pubkey]:
    """What the trader pays from, and receives on."""
    sol, usdc = associated_token.address(trader, token.NATIVE_MINT), associated_token.address(trader, USDC)
    return (sol, usdc) if sells_sol else (usdc, sol)
