"""A pool whose account uses reserved bytes is left out, reported by field, and counted once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind
from orderd.metrics.venues import POOLS_UNSUPPORTED
from orderd.pools.meteora_damm_v2.accounts import Pool
from orderd.pools.meteora_damm_v2.simnet.genesis import SOL_USDC_DAMM_V2
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.simnet.genesis import SOL_USDC_BS4
from orderd.pools.raydium_amm_v4.accounts import AmmInfo
from orderd.pools.raydium_amm_v4.simnet.genesis import SOL_USDC_AMM_V4
from orderd.pools.raydium_clmm import accounts as clmm
from orderd.pools.raydium_clmm.simnet.genesis import SOL_USDC_CLMM_4BPS
from orderd.pools.raydium_cpmm import accounts as cpmm
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.genesis import Genesis
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError
from orderd.venues.guest import Guests, PoolRefusedError
from tests.unit.solana.records import blank

ACCOUNTS = Genesis(1_800_000_000).block().changed
Check = Callable[[Any], object]
KINDS: dict[PoolKind, tuple[Any, Any, Check, tuple[str, ...]]] = {
    PoolKind.RAYDIUM_CPMM: (SOL_USDC_CPMM, cpmm.PoolState, cpmm.PoolState.check_flags, ("padding_1", "padding_2")),
    PoolKind.RAYDIUM_CLMM: (
        SOL_USDC_CLMM_4BPS,
        clmm.PoolState,
        lambda state: state.to_pool(blank(clmm.AmmConfig), ()),
        ("padding_1", "padding_2", "padding_3"),
    ),
    PoolKind.RAYDIUM_AMM_V4: (SOL_USDC_AMM_V4, AmmInfo, lambda state: state.to_pool(1, 1), ("padding_2",)),
    PoolKind.METEORA_DLMM: (SOL_USDC_BS4, LbPair, LbPair.check_flags, ("reserved",)),
    PoolKind.METEORA_DAMM_V2: (SOL_USDC_DAMM_V2, Pool, Pool.to_pool, ("padding_3", "padding_4")),
}


@pytest.mark.parametrize("kind", PoolKind)
def test_a_reserved_byte_in_use_refuses_the_pool_with_the_fields_name(kind: PoolKind) -> None:
    address, layout, check, fields = KINDS[kind]
    account = ACCOUNTS[address]
    assert account is not None
    state = layout.decode(account.data)
    check(state)
    for field in fields:
        value = getattr(state, field)
        in_use = value[:-1] + b"\x01" if isinstance(value, bytes) else 1
        with pytest.raises(UnsupportedPoolError, match=rf"reserved_bytes \({layout.__name__}\.{field}\)") as refused:
            check(replace(state, **{field: in_use}))
        assert refused.value.reason is Unsupported.RESERVED_BYTES


def test_a_pool_is_counted_once_for_each_field() -> None:
    guests, counted = Guests(PoolKind.METEORA_DLMM), POOLS_UNSUPPORTED.labels("meteora_dlmm", "reserved_bytes", "A.b")
    before = counted._value.get()
    for pool in ("one", "one", "another"):
        with pytest.raises(PoolRefusedError) as refused, guests.answering(pool):
            raise UnsupportedPoolError(Unsupported.RESERVED_BYTES, "A.b")
        assert refused.value.code is ErrorCode.POOL_UNSUPPORTED
    assert counted._value.get() == before + 2
