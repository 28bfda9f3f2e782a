"""Every captured real pool is traded, or left out for a documented reason.

The captures are from 2025 and 2026, with features such as limit orders, dynamic fees, fees on the output and rate
limiters. Refused tokens are covered by ``tests/unit/solana/test_mints.py``.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.pools.meteora_damm_v2.program import PROGRAM_ID as DAMM_V2_PROGRAM
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.addresses import bin_array_address
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.bitmap import array_index
from orderd.pools.meteora_dlmm.program import PROGRAM_ID as DLMM_PROGRAM
from orderd.pools.raydium_clmm import accounts as clmm
from orderd.pools.raydium_clmm.addresses import tick_array_address
from orderd.pools.raydium_clmm.program import PROGRAM_ID as CLMM_PROGRAM
from orderd.pools.raydium_clmm.tick_arrays import array_start
from orderd.solana.programs import token
from orderd.venues.pool_venue import venue_class
from tests.unit.amm.vectors import VECTORS
from tests.unit.solana.captures import DAMM_V2, DLMM, MAINNET_SWAPS
from tests.unit.solana.records import blank
from tests.unit.venues.chain import Chain, put_mint

_ARRAYS: Final = 20
"""Number of bins or ticks on either side of the price."""
LEFT_OUT: Final[dict[str, str]] = {}
"""Why the pool of a capture is not traded, by the capture's name."""


@dataclass(frozen=True)
class Captured:
    """The captured accounts around one pool."""

    kind: PoolKind
    pool: Pubkey
    accounts: dict[Pubkey, tuple[Pubkey, bytes]]
    slot: int
    unix_time: int


def captured() -> Iterator[tuple[str, Captured]]:
    """All of ``tests/vectors/captures``."""
    for file, each in DLMM.items():
        accounts = dlmm_arrays(each.pair, each.state) | each.accounts
        yield file, Captured(PoolKind.METEORA_DLMM, each.pair, accounts, each.slot, each.unix_time)
    for number, swap in enumerate(MAINNET_SWAPS["swaps"]):
        yield f"raydium_clmm__mainnet_swaps.json {number}", clmm_of(swap)
    for each in DAMM_V2:
        pool = Pubkey.from_string(each["pool"])
        accounts = {pool: (DAMM_V2_PROGRAM, base64.b64decode(each["account"]))}
        found = Captured(PoolKind.METEORA_DAMM_V2, pool, accounts, each["slot"], each["unix_timestamp"])
        yield f"meteora_damm_v2__mainnet_pools.json {pool}", found


def dlmm_arrays(pair: Pubkey, state: LbPair) -> dict[Pubkey, tuple[Pubkey, bytes]]:
    """Empty arrays around the price: a capture has only those that its swaps used."""
    active = array_index(state.active_id)
    return {
        bin_array_address(pair, index): (DLMM_PROGRAM, BinArray(index, 1, bytes(7), pair).encode())
        for index in range(active - _ARRAYS, active + _ARRAYS + 1)
    }


def clmm_arrays(pool: Pubkey, state: clmm.PoolState) -> dict[Pubkey, tuple[Pubkey, bytes]]:
    """Empty tick arrays around the price."""
    width = clmm.TICKS_PER_ARRAY * state.tick_spacing
    first = array_start(state.tick_current, state.tick_spacing)
    starts = range(first - _ARRAYS * width, first + (_ARRAYS + 1) * width, width)
    return {
        tick_array_address(pool, start): (CLMM_PROGRAM, clmm.TickArrayState(pool, start).encode()) for start in starts
    }


def clmm_of(swap: dict[str, Any]) -> Captured:
    pool = Pubkey.from_string(swap["pool"])
    data = base64.b64decode(swap["pool_account"])
    state = clmm.PoolState.decode(data)
    accounts = clmm_arrays(pool, state) | {pool: (CLMM_PROGRAM, data)}
    for address, data in swap["tick_arrays"].items():
        accounts[Pubkey.from_string(address)] = CLMM_PROGRAM, base64.b64decode(data)
    rates = {rate: MAINNET_SWAPS[rate] for rate in ("trade_fee_rate", "protocol_fee_rate", "fund_fee_rate")}
    accounts[state.amm_config] = CLMM_PROGRAM, blank(clmm.AmmConfig, **rates).encode()
    return Captured(PoolKind.RAYDIUM_CLMM, pool, accounts, int(swap["slot"]), int(swap["block_time"]))


ALL: Final = dict(captured())


def test_every_capture_file_is_covered() -> None:
    files = {path.name for path in (VECTORS / "captures").glob("*.json")}
    assert {name.partition(" ")[0] for name in ALL} == files
    assert LEFT_OUT.keys() <= ALL.keys()


@pytest.mark.parametrize("name", ALL)
def test_a_real_pool_is_traded_unless_a_reason_is_documented(name: str) -> None:
    capture, chain = ALL[name], Chain()
    chain.slot = capture.slot
    chain.accounts |= capture.accounts
    layout = venue_class(capture.kind).layout
    data = layout.record.decode(capture.accounts[capture.pool][1]).encode()
    vaults = data[(at := layout.vaults_offset) : at + 64]
    mints = [Pubkey.from_bytes(data[at : at + 32]) for at in layout.mint_offsets]
    for mint in mints:
        if mint not in chain.accounts:
            put_mint(chain, mint, 9 if mint == token.NATIVE_MINT else 6)
    venue = venue_class(capture.kind)(
        chain.rpc(), addresses=[str(capture.pool)], unix_time=lambda: float(capture.unix_time)
    )
    for sold, bought in (mints, mints[::-1]):
        liquidity = venue.liquidity(str(sold), str(bought))
        refused = [str(refusal) for refusal in liquidity.refusals]
        if name in LEFT_OUT:
            assert [LEFT_OUT[name] in each for each in refused] == [True]
            continue
        assert (refused, [pool.address for pool in liquidity.pools]) == ([], [str(capture.pool)])
        (pool,) = liquidity.pools
        assert vaults == b"".join(map(bytes, pool.vaults if sold == mints[0] else pool.vaults[::-1]))
        rates = pool.side.rates()
        assert rates.spot > 0
        assert 0 <= rates.fee < 1
