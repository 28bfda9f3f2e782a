"""Specifics of Raydium's CLMM venue: the state determines the tick arrays to read, and swaps name them in order."""

from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import QuoteRequest
from orderd.pools.raydium_clmm import addresses as raydium_clmm_addresses
from orderd.pools.raydium_clmm import program as raydium_clmm
from orderd.pools.raydium_clmm.accounts import DynamicFeeInfo, PoolState, TickArrayState
from orderd.pools.raydium_clmm.instructions import TICK_ARRAYS
from orderd.pools.raydium_clmm.venue import RaydiumClmm
from tests.unit.amm.vectors import load
from tests.unit.venues.asking import best_quote
from tests.unit.venues.chain import Chain, put_clmm

LOW, HIGH = Pubkey.from_bytes(b"\x0a" * 32), Pubkey.from_bytes(b"\x0b" * 32)
POOL = Pubkey.from_bytes(b"\x0c" * 32)
REAL: dict[str, Any] = load("raydium_clmm.json")["pools"]["real_wsol_usdc_4bps"]
SELL_LOW = QuoteRequest(str(LOW), str(HIGH), 10**9)
SELL_HIGH = QuoteRequest(str(HIGH), str(LOW), 10**8)


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    put_clmm(chain, POOL, LOW, HIGH, REAL)
    return chain


def tick_arrays_of(venue: RaydiumClmm, request: QuoteRequest, *, small: bool = False) -> list[Pubkey]:
    swap = venue.swap_instruction(best_quote(venue, request), LOW, LOW, HIGH, 1, small=small)
    return [meta.pubkey for meta in swap.accounts[TICK_ARRAYS:]]


def starts_around(price_tick: int) -> tuple[list[int], list[int]]:
    width = 60 * REAL["amm_config"]["tick_spacing"]
    starts = sorted({tick["tick"] // width * width for tick in REAL["ticks"]})
    current = price_tick // width * width
    return [start for start in reversed(starts) if start <= current], [start for start in starts if start >= current]


def test_a_swap_names_its_tick_arrays_in_order(chain: Chain) -> None:
    down, up = starts_around(REAL["pool_state"]["tick_current"])
    venue = RaydiumClmm(chain.rpc())
    for request, starts in ((SELL_LOW, down), (SELL_HIGH, up)):
        expected = [raydium_clmm_addresses.tick_array_address(POOL, start) for start in starts[:3]]
        assert tick_arrays_of(venue, request) == expected


def test_a_small_swap_names_the_arrays_it_needs_and_a_spare_one(chain: Chain) -> None:
    venue = RaydiumClmm(chain.rpc())
    for request in (SELL_LOW, SELL_HIGH):
        assert tick_arrays_of(venue, request, small=True) == tick_arrays_of(venue, request)[:2]


def test_a_swap_beyond_the_last_named_array_is_refused(chain: Chain) -> None:
    with pytest.raises(OrderdError) as error:
        best_quote(RaydiumClmm(chain.rpc()), QuoteRequest(str(LOW), str(HIGH), 10**17))
    assert error.value.code is ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY


def test_a_missing_tick_array_refuses_the_pool(chain: Chain) -> None:
    down, _ = starts_around(REAL["pool_state"]["tick_current"])
    del chain.accounts[raydium_clmm_addresses.tick_array_address(POOL, down[1])]
    with pytest.raises(OrderdError, match="tick array is missing") as error:
        best_quote(RaydiumClmm(chain.rpc()), SELL_LOW)
    assert error.value.code is ErrorCode.POOL_UNSUPPORTED


def test_a_limit_order_of_one_unit_leaves_the_pool_tradable(chain: Chain) -> None:
    expected = best_quote(RaydiumClmm(chain.rpc()), SELL_LOW)
    down, _ = starts_around(REAL["pool_state"]["tick_current"])
    address = raydium_clmm_addresses.tick_array_address(POOL, down[-1])
    array = TickArrayState.decode(chain.accounts[address][1])
    tick = next(array.initialized_ticks()).tick
    chain.put(address, raydium_clmm.PROGRAM_ID, array.with_tick(replace(array.tick(tick, 1), orders_amount=1), 1))
    assert best_quote(RaydiumClmm(chain.rpc()), SELL_LOW).amount_out == expected.amount_out


def test_a_pool_with_an_unknown_use_of_reserved_bytes_is_left_out(chain: Chain) -> None:
    put_clmm(chain, POOL, LOW, HIGH, REAL, dynamic_fee=DynamicFeeInfo(padding=b"\x01" * 46))
    with pytest.raises(OrderdError, match=r"DynamicFeeInfo\.padding") as error:
        best_quote(RaydiumClmm(chain.rpc()), SELL_LOW)
    assert error.value.code is ErrorCode.POOL_UNSUPPORTED


def test_accounts_in_a_lookup_table_save_space(chain: Chain) -> None:
    vaults = [raydium_clmm_addresses.vault_address(POOL, mint) for mint in (LOW, HIGH)]
    tabled = frozenset({POOL, *vaults, HIGH})
    sizes = [
        venue.liquidity(str(LOW), str(HIGH)).pools[0].size
        for venue in (RaydiumClmm(chain.rpc()), RaydiumClmm(chain.rpc(), tabled=lambda: tabled))
    ]
    assert sizes[0] - sizes[1] == 3 * 31


def test_the_program_id_of_another_cluster_can_be_configured(chain: Chain) -> None:
    devnet = raydium_clmm.DEVNET_PROGRAM_ID
    moved = Chain()
    for key, (owner, data) in chain.accounts.items():
        moved.accounts[key] = (devnet if owner == raydium_clmm.PROGRAM_ID else owner, data)
    state = PoolState.decode(chain.accounts[POOL][1])
    for start in {start for starts in starts_around(state.tick_current) for start in starts}:
        there = raydium_clmm_addresses.tick_array_address(POOL, start, devnet)
        moved.accounts[there] = moved.accounts.pop(raydium_clmm_addresses.tick_array_address(POOL, start))
    venue = RaydiumClmm(moved.rpc(), chain="devnet")
    assert venue.swap_instruction(best_quote(venue, SELL_LOW), LOW, LOW, HIGH, 1, small=False).program_id == devnet
    with pytest.raises(OrderdError, match="no pool"):
        best_quote(RaydiumClmm(moved.rpc()), SELL_LOW)
