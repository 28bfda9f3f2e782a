"""Raydium CPMM's pools in the first block, each of wrapped SOL and another token."""

from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.pools.raydium_cpmm.accounts import AmmConfig, PoolState
from orderd.pools.raydium_cpmm.addresses import (
    authority_address,
    config_address,
    config_bump,
    lp_mint_address,
    observation_address,
    pool_address,
    vault_address,
)
from orderd.pools.raydium_cpmm.program import PROGRAM_ID
from orderd.pools.raydium_cpmm.simnet.observation import ObservationState
from orderd.simnet.actors import POOL_CREATOR
from orderd.simnet.genesis.accounts import (
    SOL,
    STACC,
    USDC,
    FirstAccounts,
    FirstPool,
    integers,
    reserves_at,
    snapshot,
)
from orderd.simnet.genesis.renewal import Renewals
from orderd.solana.programs import token
from orderd.solana.programs.token import Mint

REAL_CPMM_POOL: Final = Pubkey.from_string("2higKRf25Q9WMcYfgyK96AAuFVv5zucfDAFHHDuVETcq")
_SOL_USDC_CONFIG: Final = 9
_SOL_USDC_HELD: Final = 24_000 * SOL, 24_000 * 101_660_000
SOL_USDC_CPMM: Final = pool_address(config_address(_SOL_USDC_CONFIG), token.NATIVE_MINT, USDC)
_CREATE_POOL_FEE: Final = 150_000_000
_LP_DECIMALS: Final = 9
_LP_SUPPLY: Final = 10**12


def add_sol_usdc(first: FirstAccounts, pool: Pubkey, config_index: int, held: tuple[int, int]) -> None:
    """Add a constructed pool that holds these lamports and base units of USDC.

    Its fee of 0.05 % is close to that of the DLMM pools, so that the price decides between them.
    """
    rates = {"trade_fee_rate": 500, "protocol_fee_rate": 120_000, "fund_fee_rate": 40_000, "creator_fee_rate": 0}
    add(first, pool, config_index, rates, USDC, held, {})


def sol_usdc(first: FirstAccounts, price: Fraction | None = None) -> None:
    """The pool at 101.66 USDC per SOL, or at ``price``, in base units of USDC per lamport."""
    lamports, usdc = _SOL_USDC_HELD
    held = _SOL_USDC_HELD if price is None else reserves_at(price, lamports * usdc)
    add_sol_usdc(first, SOL_USDC_CPMM, _SOL_USDC_CONFIG, held)


def _real(first: FirstAccounts) -> None:
    recorded = snapshot(PoolKind.RAYDIUM_CPMM, "real_wsol_stacc")
    state = recorded["pool_state"]
    fees = {
        f"{kind}_fees_{side}": int(state[f"{kind}_fees_token_{side}"])
        for kind in ("protocol", "fund", "creator")
        for side in (0, 1)
    }
    held = int(state["token_0_vault_amount"]), int(state["token_1_vault_amount"])
    add(first, REAL_CPMM_POOL, 0, integers(recorded["amm_config"]), STACC, held, fees)


def add(
    first: FirstAccounts,
    pool: Pubkey,
    config_index: int,
    rates: dict[str, Any],
    mint_1: Pubkey,
    held: tuple[int, int],
    fees: dict[str, Any],
    mint_0: Pubkey = token.NATIVE_MINT,
) -> None:
    """Add a pool of two tokens, whose mints are in byte order, with its configuration, vaults and observations."""
    authority, bump = authority_address()
    no_fees: dict[str, Any] = {f"{kind}_fees_{side}": 0 for kind in ("protocol", "fund", "creator") for side in (0, 1)}
    config = AmmConfig(
        bump=config_bump(config_index),
        disable_create_pool=0,
        index=config_index,
        create_pool_fee=_CREATE_POOL_FEE,
        protocol_owner=POOL_CREATOR.pubkey(),
        fund_owner=POOL_CREATOR.pubkey(),
        **rates,
    )
    state = PoolState(
        amm_config=config_address(config_index),
        pool_creator=POOL_CREATOR.pubkey(),
        vault_0=vault_address(pool, mint_0),
        vault_1=vault_address(pool, mint_1),
        lp_mint=lp_mint_address(pool),
        mint_0=mint_0,
        mint_1=mint_1,
        token_0_program=first.accounts[mint_0].owner,
        token_1_program=first.accounts[mint_1].owner,
        observation=observation_address(pool),
        auth_bump=bump,
        status=0,
        lp_mint_decimals=_LP_DECIMALS,
        mint_0_decimals=Mint.decode(first.accounts[mint_0].data).decimals,
        mint_1_decimals=Mint.decode(first.accounts[mint_1].data).decimals,
        lp_supply=_LP_SUPPLY,
        open_time=0,
        recent_epoch=0,
        creator_fee_on=0,
        enable_creator_fee=0,
        padding_1=bytes(6),
        **(no_fees | fees),
    )
    first.data(state.amm_config, PROGRAM_ID, config.encode())
    first.data(pool, PROGRAM_ID, state.encode())
    first.data(state.observation, PROGRAM_ID, ObservationState(0, 0, pool).encode())
    first.mint(state.lp_mint, Mint.new(_LP_DECIMALS, supply=_LP_SUPPLY, authority=authority))
    first.tokens(authority, mint_0, held[0], state.vault_0)
    first.tokens(authority, mint_1, held[1], state.vault_1)


RENEWALS: Final[Renewals] = {AmmConfig: lambda config: replace(config, bump=config_bump(config.index))}
POOLS: Final = (FirstPool(USDC, sol_usdc), FirstPool(STACC, _real))
