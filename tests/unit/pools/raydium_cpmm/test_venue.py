"""Specifics of Raydium's CPMM venue."""

from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import QuoteRequest
from orderd.pools.raydium_cpmm import accounts as raydium_cpmm_accounts
from orderd.pools.raydium_cpmm import addresses as raydium_cpmm_addresses
from orderd.pools.raydium_cpmm import instructions as raydium_cpmm_instructions
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.pools.raydium_cpmm.accounts import PoolState
from orderd.pools.raydium_cpmm.simnet.observation import ObservationState
from orderd.pools.raydium_cpmm.simnet.write_back import pool_after
from orderd.pools.raydium_cpmm.venue import RaydiumCpmm
from tests.unit.amm.vectors import load
from tests.unit.venues.asking import best_quote
from tests.unit.venues.chain import Chain, put_cpmm

LOW, HIGH = Pubkey.from_bytes(b"\x0a" * 32), Pubkey.from_bytes(b"\x0b" * 32)
POOL = Pubkey.from_bytes(b"\x0c" * 32)
POOLS = load("raydium_cpmm.json")["pools"]
REAL: dict[str, Any] = POOLS["real_wsol_stacc"]


def with_creator_fee(on: int) -> dict[str, Any]:
    rates = REAL["amm_config"] | {"creator_fee_rate": 10_000}
    return REAL | {
        "amm_config": rates,
        "pool_state": REAL["pool_state"] | {"creator_fee_on": on, "enable_creator_fee": True},
    }


def test_a_creators_fee_on_the_output_is_reported_in_the_input_token() -> None:
    request = QuoteRequest(str(LOW), str(HIGH), 10**9)
    fees = []
    for on in (1, 2):  # taken from token 0, the input, or from token 1
        chain = Chain()
        put_cpmm(chain, POOL, LOW, HIGH, with_creator_fee(on))
        fees.append(best_quote(RaydiumCpmm(chain.rpc()), request).fee)
    on_input, on_output = fees
    trade_fee = 10**9 * 2500 // 1_000_000
    assert on_input == trade_fee + 10**7
    assert on_output - trade_fee - (10**9 - trade_fee) // 100 in (0, 1)  # both the program and our conversion round up


def test_an_opening_time_outside_of_calendars_is_reported_as_a_number() -> None:
    chain = Chain()
    put_cpmm(chain, POOL, LOW, HIGH, REAL, open_time=2**64 - 1)
    with pytest.raises(OrderdError, match="unix second 18446744073709551615") as error:
        best_quote(RaydiumCpmm(chain.rpc()), QuoteRequest(str(LOW), str(HIGH), 10**9))
    assert error.value.code == ErrorCode.POOL_CLOSED


def test_the_program_id_of_another_cluster_can_be_configured() -> None:
    chain = Chain()
    put_cpmm(chain, POOL, LOW, HIGH, REAL)
    owned = {key: (raydium_cpmm.DEVNET_PROGRAM_ID, data) for key, (_, data) in chain.accounts.items()}
    chain.accounts[POOL] = owned[POOL]
    request = QuoteRequest(str(LOW), str(HIGH), 10**9)
    with pytest.raises(OrderdError, match="no pool"):
        best_quote(RaydiumCpmm(chain.rpc()), request)
    venue = RaydiumCpmm(chain.rpc(), chain="devnet")
    swap = venue.swap_instruction(best_quote(venue, request), LOW, LOW, HIGH, 1, small=False)
    assert swap.program_id == raydium_cpmm.DEVNET_PROGRAM_ID
    authority = raydium_cpmm_addresses.authority_address(raydium_cpmm.DEVNET_PROGRAM_ID)[0]
    assert swap.accounts[raydium_cpmm_instructions.AUTHORITY].pubkey == authority


def test_a_swap_names_its_accounts_in_the_programs_order() -> None:
    chain = Chain()
    put_cpmm(chain, POOL, LOW, HIGH, REAL)
    state = PoolState.decode(chain.accounts[POOL][1])
    venue = RaydiumCpmm(chain.rpc())
    quote = best_quote(venue, QuoteRequest(str(HIGH), str(LOW), 10**9))
    swap = venue.swap_instruction(quote, LOW, LOW, HIGH, 1, small=False)
    assert [meta.pubkey for meta in swap.accounts] == [
        LOW,
        raydium_cpmm_addresses.authority_address()[0],
        state.amm_config,
        POOL,
        LOW,
        HIGH,
        state.vault_1,
        state.vault_0,
        state.token_1_program,
        state.token_0_program,
        state.mint_1,
        state.mint_0,
        state.observation,
    ]
    writable = [index for index, meta in enumerate(swap.accounts) if meta.is_writable]
    assert writable == [3, 4, 5, 6, 7, 12]


def test_a_swap_is_written_back_to_the_fee_counters() -> None:
    chain = Chain()
    put_cpmm(chain, POOL, LOW, HIGH, REAL)
    state = PoolState.decode(chain.accounts[POOL][1])
    config = raydium_cpmm_accounts.AmmConfig.decode(chain.accounts[state.amm_config][1])
    pool = state.to_pool(config, 10**12, 10**12)
    after = pool_after(state, replace(pool, protocol_fees_0=11, fund_fees_1=12, creator_fees_0=13), epoch=9)
    assert (after.protocol_fees_0, after.fund_fees_1, after.creator_fees_0, after.recent_epoch) == (11, 12, 13, 9)
    assert replace(after, protocol_fees_0=state.protocol_fees_0, fund_fees_1=state.fund_fees_1, creator_fees_0=0) == (
        replace(state, recent_epoch=9)
    )


def test_observations_are_a_ring_written_every_fifteen_seconds() -> None:
    first = ObservationState(0, 0, POOL).updated(1_000, 100, 200)
    assert (first.initialized, first.index, first.observation(0).block_timestamp) == (1, 0, 1_000)
    assert first.updated(1_014, 100, 200) == first
    second = first.updated(1_015, 100, 200)
    assert second.index == 1
    assert second.observation(1).cumulative_price_0 == (2 << 32) * 15
    assert second.observation(1).cumulative_price_1 == (1 << 31) * 15
    full = replace(second, index=99)
    assert full.updated(2_000, 1, 1).index == 0
