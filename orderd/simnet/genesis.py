"""The first block: programs, mints, pools and the actors' balances.

Pools come from snapshots of mainnet at their real addresses, and from constructed SOL/USDC pools around the same
price. All addresses derive as the programs derive them; vaults hold what the pools say they hold.
"""

import json
import struct
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

from solders.hash import Hash
from solders.pubkey import Pubkey

from orderd.simnet.account import Account, rent_exempt_minimum
from orderd.simnet.actors import ARBITRAGEUR, FAUCET, IDENTITY, POOL_CREATOR, TRADERS
from orderd.simnet.block import SealedBlock
from orderd.simnet.transaction import BUILTINS
from orderd.solana.programs import associated_token, compute_budget, memo, meteora_dlmm, raydium_cpmm, system, token
from orderd.solana.programs.dlmm_bitmap import array_index, internal_bitmap
from orderd.solana.programs.meteora_dlmm import Bin, BinArray, LbPair, Oracle, StaticParameters, VariableParameters
from orderd.solana.programs.raydium_cpmm import AmmConfig, ObservationState, PoolState
from orderd.solana.programs.token import Mint, TokenAccount

USDC: Final = Pubkey.from_string("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
STACC: Final = Pubkey.from_string("73edX6xoGY4v5y2hzuKdrUbJXLntqgmo74au1Ki1pump")
CHILLGUY: Final = Pubkey.from_string("Df6yfrKC8kZE3KNkrHERKzAetSxbrWeniQfyJY4Jpump")
DECIMALS: Final = {token.NATIVE_MINT: 9, USDC: 6, STACC: 6, CHILLGUY: 6}

REAL_CPMM_POOL: Final = Pubkey.from_string("2higKRf25Q9WMcYfgyK96AAuFVv5zucfDAFHHDuVETcq")
REAL_DLMM_PAIR: Final = Pubkey.from_string("EtAdVRLFH22rjWh3mcUasKFF27WtHhsaCvK27tPFFWig")

_SOL_USDC_CONFIG: Final = 9
SOL_USDC_CPMM: Final = raydium_cpmm.pool_address(raydium_cpmm.config_address(_SOL_USDC_CONFIG), token.NATIVE_MINT, USDC)
SOL_USDC_BS4: Final = meteora_dlmm.pair_address(token.NATIVE_MINT, USDC, 4, 10_000)
SOL_USDC_BS10: Final = meteora_dlmm.pair_address(token.NATIVE_MINT, USDC, 10, 10_000)
START_PRICE: Final = 0.10166
"""USDC base units a lamport: 101.66 USDC a SOL."""

FIRST_SLOT: Final = 1_000
"""Slots run ahead of block heights, as on a cluster, where some slots have no block."""

PROGRAMS: Final = (
    system.PROGRAM_ID,
    compute_budget.PROGRAM_ID,
    token.PROGRAM_ID,
    associated_token.PROGRAM_ID,
    memo.PROGRAM_ID,
    raydium_cpmm.PROGRAM_ID,
    meteora_dlmm.PROGRAM_ID,
)
_NATIVE_LOADER: Final = Pubkey.from_string("NativeLoader1111111111111111111111111111111")
_BPF_LOADER: Final = Pubkey.from_string("BPFLoader2111111111111111111111111111111111")
_SYSVAR_OWNER: Final = Pubkey.from_string("Sysvar1111111111111111111111111111111111111")
_RENT_SYSVAR: Final = Pubkey.from_string("SysvarRent111111111111111111111111111111111")

SOL: Final = 10**9
FAUCET_LAMPORTS: Final = 400_000_000 * SOL
_USDC_UNIT: Final = 10**6

_SOL_USDC_FEE: Final = 500
"""0.05 %, near what the DLMM pools take, so that the price decides which of them wins."""
_SOL_USDC_SOL: Final = 24_000 * SOL
_SOL_USDC_USDC: Final = 24_000 * 101_660_000

_ORACLE_OBSERVATIONS: Final = 100
_BIN_ARRAY_VERSION: Final = 3


@dataclass(slots=True)
class Genesis:
    """Gathers the accounts of the first block. `time` in unix seconds."""

    time: int
    accounts: dict[Pubkey, Account] = field(default_factory=dict)

    def block(self) -> SealedBlock:
        """The first block, which has no transactions."""
        self._programs()
        self._mints()
        self._actors()
        self._cpmm_sol_usdc()
        self._cpmm_real()
        self._dlmm(_snapshot("meteora_dlmm__constructed_sol_usdc_bs4"), token.NATIVE_MINT, USDC, SOL_USDC_BS4)
        self._dlmm(_snapshot("meteora_dlmm__constructed_sol_usdc_bs10"), token.NATIVE_MINT, USDC, SOL_USDC_BS10)
        self._dlmm(_snapshot("meteora_dlmm__real_chillguy_sol"), CHILLGUY, token.NATIVE_MINT, REAL_DLMM_PAIR)
        return SealedBlock(
            slot=FIRST_SLOT,
            height=0,
            blockhash=Hash.hash(b"simnet genesis %d" % self.time),
            parent=Hash.default(),
            time=self.time,
            transaction_count=0,
            before={},
            changed=self.accounts,  # type: ignore[arg-type]  # only read, and all of it is there
            executed=[],
            signatures=(),
            unit_prices=(),
        )

    def _programs(self) -> None:
        for program in PROGRAMS:
            loader = _NATIVE_LOADER if program in BUILTINS else _BPF_LOADER
            self.accounts[program] = Account(rent_exempt_minimum(36), loader, bytes(36), executable=True)
        rent = struct.pack("<QdB", 3_480, 2.0, 50)
        self.accounts[_RENT_SYSVAR] = Account(rent_exempt_minimum(len(rent)), _SYSVAR_OWNER, rent)

    def _mints(self) -> None:
        for address, decimals in DECIMALS.items():
            authority = None if address == token.NATIVE_MINT else FAUCET.pubkey()
            self._data_account(address, token.PROGRAM_ID, Mint.new(decimals, authority=authority).encode())

    def _actors(self) -> None:
        self.accounts[FAUCET.pubkey()] = Account(FAUCET_LAMPORTS, system.PROGRAM_ID)
        self.accounts[IDENTITY.pubkey()] = Account(SOL, system.PROGRAM_ID)
        for trader in (ARBITRAGEUR, *TRADERS):
            self.accounts[trader.pubkey()] = Account(100_000 * SOL, system.PROGRAM_ID)
            self._token_account(trader.pubkey(), token.NATIVE_MINT, 1_000_000 * SOL)
            self._token_account(trader.pubkey(), USDC, 100_000_000 * _USDC_UNIT)

    def _cpmm_sol_usdc(self) -> None:
        config = AmmConfig(
            bump=255,
            disable_create_pool=0,
            index=_SOL_USDC_CONFIG,
            trade_fee_rate=_SOL_USDC_FEE,
            protocol_fee_rate=120_000,
            fund_fee_rate=40_000,
            create_pool_fee=0,
            protocol_owner=POOL_CREATOR.pubkey(),
            fund_owner=POOL_CREATOR.pubkey(),
            creator_fee_rate=0,
        )
        self._cpmm(SOL_USDC_CPMM, config, USDC, _SOL_USDC_SOL, _SOL_USDC_USDC, {})

    def _cpmm_real(self) -> None:
        snapshot = _snapshot("raydium_cpmm__real_wsol_stacc")
        rates: dict[str, Any] = {name: int(rate) for name, rate in snapshot["amm_config"].items()}
        config = AmmConfig(
            bump=255,
            disable_create_pool=0,
            index=0,
            create_pool_fee=150_000_000,
            protocol_owner=POOL_CREATOR.pubkey(),
            fund_owner=POOL_CREATOR.pubkey(),
            **rates,
        )
        state = snapshot["pool_state"]
        fees = {
            f"{kind}_fees_{side}": int(state[f"{kind}_fees_token_{side}"])
            for kind in ("protocol", "fund", "creator")
            for side in (0, 1)
        }
        in_vaults = int(state["token_0_vault_amount"]), int(state["token_1_vault_amount"])
        self._cpmm(REAL_CPMM_POOL, config, STACC, *in_vaults, fees)

    def _cpmm(
        self, pool: Pubkey, config: AmmConfig, mint_1: Pubkey, vault_0: int, vault_1: int, fees: dict[str, Any]
    ) -> None:
        """A pool of wrapped SOL and `mint_1`, with its configuration, vaults and observations."""
        program = raydium_cpmm.PROGRAM_ID
        authority, bump = raydium_cpmm.authority_address()
        mint_0 = token.NATIVE_MINT
        lp_mint = raydium_cpmm.lp_mint_address(pool)
        no_fees: dict[str, Any] = {
            f"{kind}_fees_{side}": 0 for kind in ("protocol", "fund", "creator") for side in (0, 1)
        }
        lp_supply = 10**12
        state = PoolState(
            amm_config=raydium_cpmm.config_address(config.index),
            pool_creator=POOL_CREATOR.pubkey(),
            vault_0=raydium_cpmm.vault_address(pool, mint_0),
            vault_1=raydium_cpmm.vault_address(pool, mint_1),
            lp_mint=lp_mint,
            mint_0=mint_0,
            mint_1=mint_1,
            token_0_program=token.PROGRAM_ID,
            token_1_program=token.PROGRAM_ID,
            observation=raydium_cpmm.observation_address(pool),
            auth_bump=bump,
            status=0,
            lp_mint_decimals=9,
            mint_0_decimals=DECIMALS[mint_0],
            mint_1_decimals=DECIMALS[mint_1],
            lp_supply=lp_supply,
            open_time=0,
            recent_epoch=0,
            creator_fee_on=0,
            enable_creator_fee=0,
            padding_1=bytes(6),
            **(no_fees | fees),
        )
        self._data_account(state.amm_config, program, config.encode())
        self._data_account(pool, program, state.encode())
        self._data_account(state.observation, program, ObservationState(0, 0, pool).encode())
        self._data_account(lp_mint, token.PROGRAM_ID, Mint.new(9, supply=lp_supply, authority=authority).encode())
        self._token_account(authority, mint_0, vault_0, address=state.vault_0)
        self._token_account(authority, mint_1, vault_1, address=state.vault_1)

    def _dlmm(self, snapshot: dict[str, Any], mint_x: Pubkey, mint_y: Pubkey, pair: Pubkey) -> None:
        """A pair from its snapshot, with its bin arrays, reserves and oracle."""
        program = meteora_dlmm.PROGRAM_ID
        parameters: dict[str, Any] = {name: int(value) for name, value in snapshot["parameters"].items()}
        volatility: dict[str, Any] = {name: int(value) for name, value in snapshot["v_parameters"].items()}
        bin_step = int(snapshot["bin_step"])
        bins = {
            int(each["bin_id"]): _bin(int(each["amount_x"]), int(each["amount_y"]), int(each["price"]))
            for each in snapshot["bins"]
        }
        indices = sorted({array_index(bin_id) for bin_id in bins})
        if pair != REAL_DLMM_PAIR:
            volatility["last_update_timestamp"] = self.time
        state = LbPair(
            parameters=StaticParameters(**parameters),
            v_parameters=VariableParameters(padding=bytes(4), **volatility),
            bump_seed=255,
            bin_step_seed=bin_step,
            pair_type=int(snapshot["pair_type"]),
            active_id=int(snapshot["active_id"]),
            bin_step=bin_step,
            status=int(snapshot["status"]),
            require_base_factor_seed=0,
            base_factor_seed=parameters["base_factor"],
            activation_type=0,
            creator_pool_on_off_control=0,
            mint_x=mint_x,
            mint_y=mint_y,
            reserve_x=meteora_dlmm.reserve_address(pair, mint_x),
            reserve_y=meteora_dlmm.reserve_address(pair, mint_y),
            protocol_fee_x=int(snapshot["protocol_fee"]["amount_x"]),
            protocol_fee_y=int(snapshot["protocol_fee"]["amount_y"]),
            padding_1=bytes(32),
            reward_0=meteora_dlmm.NO_REWARD,
            reward_1=meteora_dlmm.NO_REWARD,
            oracle=meteora_dlmm.oracle_address(pair),
            bin_array_bitmap=internal_bitmap(indices),
            last_updated_at=self.time,
            padding_2=bytes(32),
            pre_activation_swap_address=Pubkey.default(),
            base_key=Pubkey.default(),
            activation_point=0,
            pre_activation_duration=0,
            padding_3=bytes(8),
            padding_4=0,
            creator=POOL_CREATOR.pubkey(),
            token_x_program_flag=0,
            token_y_program_flag=0,
            version=_BIN_ARRAY_VERSION,
        )
        self._data_account(pair, program, state.encode())
        for index in indices:
            array = BinArray(index, _BIN_ARRAY_VERSION, bytes(7), pair)
            content = b"".join(
                bins.get(array.first_bin_id + position, Bin()).encode()
                for position in range(meteora_dlmm.BINS_AN_ARRAY)
            )
            array = BinArray(index, _BIN_ARRAY_VERSION, bytes(7), pair, content)
            self._data_account(meteora_dlmm.bin_array_address(pair, index), program, array.encode())
        oracle = Oracle(0, 0, _ORACLE_OBSERVATIONS, bytes(32 * _ORACLE_OBSERVATIONS))
        self._data_account(state.oracle, program, oracle.encode())
        held_x = sum(each.amount_x for each in bins.values()) + state.protocol_fee_x
        held_y = sum(each.amount_y for each in bins.values()) + state.protocol_fee_y
        self._token_account(pair, mint_x, held_x, address=state.reserve_x)
        self._token_account(pair, mint_y, held_y, address=state.reserve_y)

    def _data_account(self, address: Pubkey, owner: Pubkey, data: bytes) -> None:
        self.accounts[address] = Account(rent_exempt_minimum(len(data)), owner, data)

    def _token_account(self, owner: Pubkey, mint: Pubkey, amount: int, address: Pubkey | None = None) -> None:
        """A token account with `amount` base units, which are added to the mint's supply."""
        rent = rent_exempt_minimum(token.ACCOUNT_SIZE)
        native = mint == token.NATIVE_MINT
        state = TokenAccount.new(mint, owner, amount, native_rent=rent if native else None)
        where = address or associated_token.address(owner, mint)
        self.accounts[where] = Account(rent + (amount if native else 0), token.PROGRAM_ID, state.encode())
        if not native:
            held = Mint.decode(self.accounts[mint].data)
            minted = Mint.new(held.decimals, supply=held.supply + amount, authority=held.mint_authority.key)
            self._data_account(mint, token.PROGRAM_ID, minted.encode())


def _bin(amount_x: int, amount_y: int, price: int) -> Bin:
    return Bin(amount_x, amount_y, price, liquidity_supply=amount_x * price + (amount_y << 64))


def _snapshot(name: str) -> dict[str, Any]:
    file = resources.files("orderd.simnet") / "snapshots" / f"{name}.json"
    snapshot: dict[str, Any] = json.loads(file.read_text())
    return snapshot
