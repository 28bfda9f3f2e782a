"""Pools on the local chain for tests: the computed result of a swap, and its instruction."""

from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2 import accounts as meteora_damm_v2_accounts
from orderd.pools.meteora_damm_v2 import instructions as meteora_damm_v2_instructions
from orderd.pools.meteora_damm_v2.instructions import SwapMode
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2
from orderd.pools.meteora_dlmm import addresses as meteora_dlmm_addresses
from orderd.pools.meteora_dlmm import instructions as meteora_dlmm_instructions
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.bitmap import arrays_in_order
from orderd.pools.meteora_dlmm.instructions import Swap2, SwapExactOut2
from orderd.pools.meteora_dlmm.maths import pool as dlmm
from orderd.pools.raydium_amm_v4 import accounts as raydium_amm_v4_accounts
from orderd.pools.raydium_amm_v4 import instructions as raydium_amm_v4_instructions
from orderd.pools.raydium_amm_v4.maths import pool as amm_v4
from orderd.pools.raydium_clmm import accounts as raydium_clmm_accounts
from orderd.pools.raydium_clmm import addresses as raydium_clmm_addresses
from orderd.pools.raydium_clmm import instructions as raydium_clmm_instructions
from orderd.pools.raydium_clmm import tick_arrays as clmm_tick_arrays
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_cpmm import instructions as raydium_cpmm
from orderd.pools.raydium_cpmm.accounts import AmmConfig, PoolState
from orderd.pools.raydium_cpmm.instructions import SwapBaseInput, SwapBaseOutput
from orderd.pools.raydium_cpmm.maths import pool as cpmm
from orderd.simnet.runtime import Outcome
from tests.unit.simnet.conftest import LocalChain


class Swap(Protocol):
    """What the maths of every kind returns for a swap."""

    @property
    def amount_in(self) -> int: ...
    @property
    def amount_out(self) -> int: ...
    @property
    def pool(self) -> Any: ...


class Pool(Protocol):
    """A pool of any kind; ``forward`` sells the first token."""

    chain: LocalChain
    address: Pubkey

    def mints(self, *, forward: bool) -> tuple[Pubkey, Pubkey]: ...
    def vaults(self, *, forward: bool) -> tuple[Pubkey, Pubkey]: ...
    def pool(self) -> Any: ...
    def quote(self, amount: int, *, forward: bool, exact_out: bool = False) -> Swap: ...
    def swap(self, amount: int, limit: int, *, forward: bool, exact_out: bool = False) -> Instruction: ...
    def may_change(self) -> set[Pubkey]: ...


@dataclass
class Cpmm:
    """A CPMM pool; ``forward`` sells token 0."""

    chain: LocalChain
    address: Pubkey

    @property
    def state(self) -> PoolState:
        return PoolState.decode(self.chain.account(self.address).data)

    def mints(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.mint_0, self.state.mint_1) if forward else (self.state.mint_1, self.state.mint_0)

    def vaults(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.vault_0, self.state.vault_1) if forward else (self.state.vault_1, self.state.vault_0)

    def pool(self) -> cpmm.CpmmPool:
        state = self.state
        config = AmmConfig.decode(self.chain.account(state.amm_config).data)
        return state.to_pool(config, self.chain.amount(state.vault_0), self.chain.amount(state.vault_1))

    def quote(self, amount: int, *, forward: bool, exact_out: bool = False) -> cpmm.CpmmSwap:
        swap = cpmm.swap_exact_out if exact_out else cpmm.swap_exact_in
        return swap(self.pool(), amount, zero_for_one=forward)

    def swap(self, amount: int, limit: int, *, forward: bool, exact_out: bool = False) -> Instruction:
        source, destination = (self.chain.held(mint) for mint in self.mints(forward=forward))
        order = SwapBaseOutput(limit, amount) if exact_out else SwapBaseInput(amount, limit)
        trader = self.chain.trader.pubkey()
        return raydium_cpmm.swap(order, self.address, self.state, trader, source, destination, zero_for_one=forward)

    def may_change(self) -> set[Pubkey]:
        return {self.address, self.state.observation}


@dataclass
class Dlmm:
    """A DLMM pair; ``forward`` sells x."""

    chain: LocalChain
    address: Pubkey

    @property
    def state(self) -> LbPair:
        return LbPair.decode(self.chain.account(self.address).data)

    def mints(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.mint_x, self.state.mint_y) if forward else (self.state.mint_y, self.state.mint_x)

    def vaults(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.reserve_x, self.state.reserve_y) if forward else (self.state.reserve_y, self.state.reserve_x)

    def arrays(self, *, forward: bool) -> list[int]:
        return list(islice(arrays_in_order(self.state, None, swap_for_y=forward), 3))

    def all_arrays(self) -> set[int]:
        return {*self.arrays(forward=True), *self.arrays(forward=False)}

    def pool(self) -> dlmm.DlmmPool:
        addresses = (meteora_dlmm_addresses.bin_array_address(self.address, index) for index in self.all_arrays())
        return self.state.to_pool([BinArray.decode(self.chain.account(each).data) for each in addresses])

    def quote(self, amount: int, *, forward: bool, exact_out: bool = False) -> dlmm.DlmmSwap:
        swap = dlmm.swap_exact_out if exact_out else dlmm.swap_exact_in
        return swap(self.pool(), amount, swap_for_y=forward, now=self.chain.now)

    def swap(
        self,
        amount: int,
        limit: int,
        *,
        forward: bool,
        exact_out: bool = False,
        arrays: list[int] | None = None,
    ) -> Instruction:
        source, destination = (self.chain.held(mint) for mint in self.mints(forward=forward))
        return meteora_dlmm_instructions.swap(
            SwapExactOut2(limit, amount) if exact_out else Swap2(amount, limit),
            self.address,
            self.state,
            self.chain.trader.pubkey(),
            source,
            destination,
            bin_arrays=self.arrays(forward=forward) if arrays is None else arrays,
            has_bitmap_extension=False,
        )

    def may_change(self) -> set[Pubkey]:
        return {
            self.address,
            self.state.oracle,
            *(meteora_dlmm_addresses.bin_array_address(self.address, each) for each in self.all_arrays()),
        }


@dataclass
class Clmm:
    """A CLMM pool; ``forward`` sells token 0."""

    chain: LocalChain
    address: Pubkey

    @property
    def state(self) -> raydium_clmm_accounts.PoolState:
        return raydium_clmm_accounts.PoolState.decode(self.chain.account(self.address).data)

    def mints(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.mint_0, self.state.mint_1) if forward else (self.state.mint_1, self.state.mint_0)

    def vaults(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.vault_0, self.state.vault_1) if forward else (self.state.vault_1, self.state.vault_0)

    def arrays(self, *, forward: bool) -> list[int]:
        return list(clmm_tick_arrays.arrays_in_order(self.state, None, zero_for_one=forward))

    def tick_array(self, start: int) -> raydium_clmm_accounts.TickArrayState:
        return raydium_clmm_accounts.TickArrayState.decode(
            self.chain.account(raydium_clmm_addresses.tick_array_address(self.address, start)).data
        )

    def all_arrays(self) -> set[int]:
        return {*self.arrays(forward=True), *self.arrays(forward=False)}

    def pool(self) -> clmm.ClmmPool:
        config = raydium_clmm_accounts.AmmConfig.decode(self.chain.account(self.state.amm_config).data)
        return self.state.to_pool(config, [self.tick_array(start) for start in self.all_arrays()])

    def quote(self, amount: int, *, forward: bool, exact_out: bool = False) -> clmm.ClmmSwap:
        swap = clmm.swap_exact_out if exact_out else clmm.swap_exact_in
        return swap(self.pool(), amount, zero_for_one=forward, now=self.chain.now)

    def swap(
        self,
        amount: int,
        limit: int,
        *,
        forward: bool,
        exact_out: bool = False,
        arrays: list[int] | None = None,
        price_limit: int = 0,
        names_bitmap_extension: bool = False,
    ) -> Instruction:
        source, destination = (self.chain.held(mint) for mint in self.mints(forward=forward))
        return raydium_clmm_instructions.swap(
            raydium_clmm_instructions.SwapV2(amount, limit, price_limit, not exact_out),
            self.address,
            self.state,
            self.chain.trader.pubkey(),
            source,
            destination,
            zero_for_one=forward,
            tick_arrays=self.arrays(forward=forward) if arrays is None else arrays,
            names_bitmap_extension=names_bitmap_extension,
        )

    def may_change(self) -> set[Pubkey]:
        arrays = {raydium_clmm_addresses.tick_array_address(self.address, each) for each in self.all_arrays()}
        return {self.address, self.state.observation, *arrays}


@dataclass
class AmmV4:
    """An AMM v4 pool; ``forward`` sells the coin."""

    chain: LocalChain
    address: Pubkey

    @property
    def state(self) -> raydium_amm_v4_accounts.AmmInfo:
        return raydium_amm_v4_accounts.AmmInfo.decode(self.chain.account(self.address).data)

    def mints(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.coin_mint, self.state.pc_mint) if forward else (self.state.pc_mint, self.state.coin_mint)

    def vaults(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        return (self.state.coin_vault, self.state.pc_vault) if forward else (self.state.pc_vault, self.state.coin_vault)

    def pool(self) -> amm_v4.AmmV4Pool:
        return self.state.to_pool(self.chain.amount(self.state.coin_vault), self.chain.amount(self.state.pc_vault))

    def quote(self, amount: int, *, forward: bool, exact_out: bool = False) -> amm_v4.AmmV4Swap:
        swap = amm_v4.swap_exact_out if exact_out else amm_v4.swap_exact_in
        return swap(self.pool(), amount, coin_to_pc=forward)

    def swap(self, amount: int, limit: int, *, forward: bool, exact_out: bool = False) -> Instruction:
        source, destination = (self.chain.held(mint) for mint in self.mints(forward=forward))
        order = (
            raydium_amm_v4_instructions.SwapBaseOutV2(limit, amount)
            if exact_out
            else raydium_amm_v4_instructions.SwapBaseInV2(amount, limit)
        )
        trader = self.chain.trader.pubkey()
        return raydium_amm_v4_instructions.swap(order, self.address, self.state, trader, source, destination)

    def may_change(self) -> set[Pubkey]:
        return {self.address}


@dataclass
class DammV2:
    """A DAMM v2 pool; ``forward`` sells token a."""

    chain: LocalChain
    address: Pubkey

    @property
    def state(self) -> meteora_damm_v2_accounts.Pool:
        return meteora_damm_v2_accounts.Pool.decode(self.chain.account(self.address).data)

    def mints(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        mints = self.state.token_a_mint, self.state.token_b_mint
        return mints if forward else mints[::-1]

    def vaults(self, *, forward: bool) -> tuple[Pubkey, Pubkey]:
        vaults = self.state.token_a_vault, self.state.token_b_vault
        return vaults if forward else vaults[::-1]

    def pool(self) -> damm_v2.DammV2Pool:
        return self.state.to_pool()

    def quote(self, amount: int, *, forward: bool, exact_out: bool = False) -> damm_v2.DammV2Swap:
        swap = damm_v2.swap_exact_out if exact_out else damm_v2.swap_exact_in
        return swap(self.pool(), amount, a_to_b=forward, now=self.chain.now, point=self.chain.now)

    def swap(
        self, amount: int, limit: int, *, forward: bool, exact_out: bool = False, mode: int | None = None
    ) -> Instruction:
        source, destination = (self.chain.held(mint) for mint in self.mints(forward=forward))
        if mode is None:
            mode = SwapMode.EXACT_OUT if exact_out else SwapMode.EXACT_IN
        order = meteora_damm_v2_instructions.Swap2(amount, limit, mode)
        trader = self.chain.trader.pubkey()
        return meteora_damm_v2_instructions.swap(order, self.address, self.state, trader, source, destination)

    def may_change(self) -> set[Pubkey]:
        return {self.address}


def error_name(outcome: Outcome) -> str:
    """The name in the program's error line."""
    (line,) = [line for line in outcome.logs if "Error Code: " in line]
    return line.split("Error Code: ")[1].split(".")[0]


def error_code(outcome: Outcome) -> Any:
    """The error of the first instruction: a runtime error by name, or a program's number."""
    assert outcome.error is not None
    written: Any = outcome.error.to_json()
    index, error = written["InstructionError"]
    assert index == 0
    return error["Custom"] if isinstance(error, dict) else error


def with_account(instruction: Instruction, index: int, **changes: Any) -> Instruction:
    """The instruction with another account or other rights at ``index``."""
    metas = list(instruction.accounts)
    old = metas[index]
    metas[index] = AccountMeta(
        changes.get("key", old.pubkey), changes.get("signer", old.is_signer), changes.get("writable", old.is_writable)
    )
    return Instruction(instruction.program_id, bytes(instruction.data), metas)


STRANGER = Pubkey.from_bytes(bytes([9] * 32))
