"""Chains created by earlier versions, whose pools the real programs would not have served, are renewed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.raydium_clmm import accounts as clmm
from orderd.pools.raydium_cpmm import accounts as cpmm
from orderd.simnet.account import LedgerAccount
from orderd.simnet.genesis import Genesis
from orderd.simnet.genesis.renewal import renewed
from orderd.solana.pool_programs import program_of
from orderd.solana.programs.layout import Record


@pytest.fixture
def accounts() -> dict[Pubkey, LedgerAccount]:
    return {key: account for key, account in Genesis(1_800_000_000).block().changed.items() if account is not None}


def test_a_current_chain_is_not_changed(accounts: dict[Pubkey, LedgerAccount]) -> None:
    assert renewed(accounts) == {}


@pytest.mark.parametrize(
    ("kind", "layout", "as_it_was"),
    [
        (
            PoolKind.METEORA_DLMM,
            LbPair,
            lambda pair: replace(pair, bump_seed=200, require_base_factor_seed=0, version=3),
        ),
        (PoolKind.METEORA_DLMM, BinArray, lambda array: replace(array, version=3)),
        (PoolKind.RAYDIUM_CLMM, clmm.PoolState, lambda pool: replace(pool, bump=200)),
        (PoolKind.RAYDIUM_CLMM, clmm.AmmConfig, lambda config: replace(config, bump=200)),
        (PoolKind.RAYDIUM_CPMM, cpmm.AmmConfig, lambda config: replace(config, bump=200)),
    ],
)
def test_accounts_of_earlier_versions_are_renewed(
    accounts: dict[Pubkey, LedgerAccount], kind: PoolKind, layout: type[Record], as_it_was: Callable[[Any], Record]
) -> None:
    program = program_of(kind).ids["simnet"]
    today = {
        key: account
        for key, account in accounts.items()
        if account.owner == program and account.data.startswith(layout.DISCRIMINATOR)
    }
    before = {
        key: account._replace(data=as_it_was(layout.decode(account.data)).encode()) for key, account in today.items()
    }
    assert today
    assert renewed(accounts | before) == today
