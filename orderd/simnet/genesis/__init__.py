"""The first block: programs, mints, pools and the actors' balances.

Pools come from snapshots of mainnet at their real addresses, and from constructed SOL/USDC pools around the same
price. Addresses derive as the programs derive them; vaults hold at least what the pools can pay.
"""

import struct
from dataclasses import dataclass
from typing import Final

from solders.hash import Hash
from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2 import program as meteora_damm_v2
from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4
from orderd.pools.raydium_clmm import program as raydium_clmm
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.simnet.account import Account, rent_exempt_minimum
from orderd.simnet.actors import ARBITRAGEUR, FAUCET, IDENTITY, TRADERS
from orderd.simnet.block import SealedBlock
from orderd.simnet.genesis import meteora, raydium
from orderd.simnet.genesis.accounts import CHILLGUY, STACC, USDC, FirstAccounts, snapshot
from orderd.simnet.transaction import BUILTINS
from orderd.solana.programs import associated_token, compute_budget, memo, system, token

__all__ = ["CHILLGUY", "STACC", "USDC", "Genesis"]

REAL_CPMM_POOL: Final = Pubkey.from_string("2higKRf25Q9WMcYfgyK96AAuFVv5zucfDAFHHDuVETcq")
REAL_DLMM_PAIR: Final = Pubkey.from_string("EtAdVRLFH22rjWh3mcUasKFF27WtHhsaCvK27tPFFWig")

_CPMM_CONFIG: Final = 9
_CLMM_4BPS_CONFIG: Final = 8
_CLMM_25BPS_CONFIG: Final = 1
SOL_USDC_CPMM: Final = raydium_cpmm.pool_address(raydium_cpmm.config_address(_CPMM_CONFIG), token.NATIVE_MINT, USDC)
SOL_USDC_CLMM_4BPS: Final = raydium_clmm.pool_address(
    raydium_clmm.config_address(_CLMM_4BPS_CONFIG), token.NATIVE_MINT, USDC
)
"""The real pool, at its real address: 3ucNos4NbumPLZNWztqGHNFFgkHeRMBQAVemeeomsUxv."""
SOL_USDC_CLMM_25BPS: Final = raydium_clmm.pool_address(
    raydium_clmm.config_address(_CLMM_25BPS_CONFIG), token.NATIVE_MINT, USDC
)
SOL_USDC_AMM_V4: Final = Pubkey.from_string("58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2")
SOL_USDC_BS4: Final = meteora_dlmm.pair_address(token.NATIVE_MINT, USDC, 4, 10_000)
SOL_USDC_BS10: Final = meteora_dlmm.pair_address(token.NATIVE_MINT, USDC, 10, 10_000)
SOL_USDC_DAMM_V2: Final = Pubkey.from_string("CGPxT5d1uf9a8cKVJuZaJAU76t2EfLGbTmRbfvLLZp5j")
START_PRICE: Final = 0.10166
"""USDC base units a lamport: 101.66 USDC a SOL, the price of the real CLMM pool."""

FIRST_SLOT: Final = 1_000
"""Slots run ahead of block heights, as on a cluster, where some slots have no block."""

PROGRAMS: Final = (
    system.PROGRAM_ID,
    compute_budget.PROGRAM_ID,
    token.PROGRAM_ID,
    token.TOKEN_2022_PROGRAM_ID,
    associated_token.PROGRAM_ID,
    memo.PROGRAM_ID,
    raydium_cpmm.PROGRAM_ID,
    raydium_clmm.PROGRAM_ID,
    raydium_amm_v4.PROGRAM_ID,
    meteora_dlmm.PROGRAM_ID,
    meteora_damm_v2.PROGRAM_ID,
)
"""Token-2022 can be named, as swaps must name it, but not called: no mint here is one of its."""

_NATIVE_LOADER: Final = Pubkey.from_string("NativeLoader1111111111111111111111111111111")
_BPF_LOADER: Final = Pubkey.from_string("BPFLoader2111111111111111111111111111111111")
_SYSVAR_OWNER: Final = Pubkey.from_string("Sysvar1111111111111111111111111111111111111")
_RENT_SYSVAR: Final = Pubkey.from_string("SysvarRent111111111111111111111111111111111")

SOL: Final = 10**9
FAUCET_LAMPORTS: Final = 400_000_000 * SOL
_USDC_UNIT: Final = 10**6
_CPMM_SOL: Final = 24_000 * SOL
_CPMM_USDC: Final = 24_000 * 101_660_000


@dataclass(frozen=True, slots=True)
class Genesis:
    """How a chain begins. `time` in unix seconds."""

    time: int

    def block(self) -> SealedBlock:
        """The first block, which has no transactions."""
        first = FirstAccounts(self.time)
        _programs(first)
        first.mints()
        _actors(first)
        _sol_usdc_pools(first)
        raydium.cpmm(first, snapshot("raydium_cpmm__real_wsol_stacc"), REAL_CPMM_POOL, STACC)
        meteora.dlmm(first, snapshot("meteora_dlmm__real_chillguy_sol"), CHILLGUY, token.NATIVE_MINT, REAL_DLMM_PAIR)
        return SealedBlock(
            slot=FIRST_SLOT,
            height=0,
            blockhash=Hash.hash(b"simnet genesis %d" % self.time),
            parent=Hash.default(),
            time=self.time,
            transaction_count=0,
            before={},
            changed=first.accounts,  # type: ignore[arg-type]  # only read, and all of it is there
            executed=[],
            signatures=(),
            unit_prices=(),
        )


def _programs(first: FirstAccounts) -> None:
    for program in PROGRAMS:
        loader = _NATIVE_LOADER if program in BUILTINS else _BPF_LOADER
        first.accounts[program] = Account(rent_exempt_minimum(36), loader, bytes(36), executable=True)
    first.data(_RENT_SYSVAR, _SYSVAR_OWNER, struct.pack("<QdB", 3_480, 2.0, 50))


def _actors(first: FirstAccounts) -> None:
    first.accounts[FAUCET.pubkey()] = Account(FAUCET_LAMPORTS, system.PROGRAM_ID)
    first.accounts[IDENTITY.pubkey()] = Account(SOL, system.PROGRAM_ID)
    for trader in (ARBITRAGEUR, *TRADERS):
        first.accounts[trader.pubkey()] = Account(100_000 * SOL, system.PROGRAM_ID)
        first.tokens(trader.pubkey(), token.NATIVE_MINT, 1_000_000 * SOL)
        first.tokens(trader.pubkey(), USDC, 100_000_000 * _USDC_UNIT)


def _sol_usdc_pools(first: FirstAccounts) -> None:
    """Seven pools near one price. DAMM v2's was recorded on another day; re-centred, it stands at the others' price."""
    sol, now = token.NATIVE_MINT, first.time
    raydium.cpmm_sol_usdc(first, SOL_USDC_CPMM, _CPMM_CONFIG, USDC, _CPMM_SOL, _CPMM_USDC)
    real, made_up = snapshot("raydium_clmm__real_wsol_usdc_4bps"), snapshot("raydium_clmm__constructed_sol_usdc_25bps")
    raydium.clmm(first, real, SOL_USDC_CLMM_4BPS, _CLMM_4BPS_CONFIG, USDC)
    raydium.clmm(first, made_up, SOL_USDC_CLMM_25BPS, _CLMM_25BPS_CONFIG, USDC)
    raydium.amm_v4(first, snapshot("raydium_amm_v4__semi_real_sol_usdc"), SOL_USDC_AMM_V4, USDC)
    for pair, name in ((SOL_USDC_BS4, "bs4"), (SOL_USDC_BS10, "bs10")):
        meteora.dlmm(first, snapshot(f"meteora_dlmm__constructed_sol_usdc_{name}"), sol, USDC, pair, quiet_since=now)
    recentred = snapshot("meteora_damm_v2__recentred_sol_usdc_25bps")
    meteora.damm_v2(first, recentred, sol, USDC, SOL_USDC_DAMM_V2, quiet_since=now)
