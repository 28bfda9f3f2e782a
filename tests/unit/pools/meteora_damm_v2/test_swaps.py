"""Meteora DAMM v2 on the local chain: its three swap modes, and the program's error names."""

from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.amm.stretch import Stretch
from orderd.pools.meteora_damm_v2 import addresses as meteora_damm_v2_addresses
from orderd.pools.meteora_damm_v2 import instructions as meteora_damm_v2_instructions
from orderd.pools.meteora_damm_v2 import program as meteora_damm_v2
from orderd.pools.meteora_damm_v2.accounts import PoolStatus
from orderd.pools.meteora_damm_v2.instructions import SwapMode
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2
from orderd.pools.meteora_damm_v2.simnet.genesis import SOL_USDC_DAMM_V2
from orderd.pools.raydium_clmm.simnet.genesis import SOL_USDC_CLMM_4BPS
from orderd.pools.raydium_cpmm import addresses as raydium_cpmm
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.genesis import STACC, USDC
from orderd.solana.programs import token
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import STRANGER, Clmm, DammV2, error_code, error_name, with_account

SOL = 10**9


@pytest.fixture
def pool(chain: LocalChain) -> DammV2:
    return DammV2(chain, SOL_USDC_DAMM_V2)


def switch(pool: DammV2, **fields: Any) -> None:
    """Change fields of the pool's account."""
    accounts = pool.chain.bank.accounts
    accounts[pool.address] = accounts[pool.address]._replace(data=replace(pool.state, **fields).encode())


def test_the_recentred_pool_has_the_price_of_the_real_clmm_pool(pool: DammV2, chain: LocalChain) -> None:
    state = pool.state
    assert state.sqrt_price == Clmm(chain, SOL_USDC_CLMM_4BPS).state.sqrt_price_x64
    above = Stretch(state.liquidity, state.sqrt_max_price, zero_for_one=True)
    below = Stretch(state.liquidity, state.sqrt_min_price, zero_for_one=False)
    assert state.token_a_amount == above.amount_in(state.sqrt_price)
    assert state.token_b_amount == below.amount_in(state.sqrt_price)
    assert chain.amount(state.token_a_vault) == state.token_a_amount + state.protocol_a_fee
    assert chain.amount(state.token_b_vault) == state.token_b_amount + state.protocol_b_fee


@pytest.mark.parametrize("forward", [True, False], ids=["a to b", "b to a"])
def test_a_partial_fill_ends_with_the_price_range(pool: DammV2, forward: bool) -> None:
    size = 50_000 * SOL if forward else 5_000_000 * 10**6
    now = pool.chain.now
    expected = damm_v2.swap_partial_fill(pool.pool(), size, a_to_b=forward, now=now, point=now)
    assert expected.amount_in < size
    source, destination = (pool.chain.held(mint) for mint in pool.mints(forward=forward))
    before = pool.chain.amount(source), pool.chain.amount(destination)

    exact = pool.chain.send(pool.swap(size, 1, forward=forward))
    partial = pool.chain.send(pool.swap(size, expected.amount_out, forward=forward, mode=SwapMode.PARTIAL_FILL))

    assert error_name(exact) == "PriceRangeViolation"
    assert partial.error is None
    assert pool.pool() == expected.pool
    after = pool.chain.amount(source), pool.chain.amount(destination)
    assert (before[0] - after[0], after[1] - before[1]) == (expected.amount_in, expected.amount_out)


def test_an_unknown_mode_is_exact_in(pool: DammV2) -> None:
    expected = pool.quote(SOL, forward=True)

    assert pool.chain.send(pool.swap(SOL, expected.amount_out, forward=True, mode=7)).error is None
    assert pool.pool() == expected.pool


def test_fees_are_recorded_for_providers_and_protocol(pool: DammV2) -> None:
    before = pool.state
    expected = pool.quote(1_000 * 10**6, forward=False)
    assert expected.protocol_fee > 0

    pool.chain.send(pool.swap(1_000 * 10**6, 1, forward=False))

    after = pool.state
    assert after.protocol_b_fee == before.protocol_b_fee + expected.protocol_fee
    assert after.metrics.total_lp_b_fee == expected.claiming_fee
    assert after.fee_b_per_liquidity == (expected.claiming_fee << 128) // before.liquidity


def test_a_fast_price_change_increases_the_next_fee(pool: DammV2) -> None:
    calm = pool.quote(SOL, forward=True).fee_numerator
    pool.chain.send(pool.swap(200 * SOL, 1, forward=True))

    assert pool.quote(SOL, forward=True).fee_numerator > calm == 2_500_000


def test_the_event_is_sent_to_the_program_itself(pool: DammV2) -> None:
    expected = pool.quote(SOL, forward=True)

    outcome = pool.chain.send(pool.swap(SOL, 1, forward=True))

    *transfers, event = (call for _, calls in outcome.inner for call in calls)
    assert [call.program_id for call in transfers] == [token.PROGRAM_ID] * 2
    assert event.program_id == meteora_damm_v2.PROGRAM_ID
    assert event.accounts == (meteora_damm_v2_addresses.EVENT_AUTHORITY_ADDRESS,)
    assert event.data[16:48] == bytes(pool.address)
    assert int.from_bytes(event.data[68:76], "little") == SOL
    assert int.from_bytes(event.data[92:100], "little") == expected.amount_out


def test_a_single_unit_of_slippage_is_refused(pool: DammV2) -> None:
    bought = pool.quote(SOL, forward=True)
    paid = pool.quote(SOL, forward=False, exact_out=True)
    before = pool.pool()

    too_little = pool.chain.send(pool.swap(SOL, bought.amount_out + 1, forward=True))
    too_much = pool.chain.send(pool.swap(SOL, paid.amount_in - 1, forward=False, exact_out=True))

    assert (error_name(too_little), error_name(too_much)) == ("ExceededSlippage", "ExceededSlippage")
    assert pool.pool() == before


@pytest.mark.parametrize("fields", [{"pool_status": PoolStatus.DISABLED}, {"activation_point": 2**40}])
def test_a_closed_pool_refuses_swaps(pool: DammV2, fields: dict[str, int]) -> None:
    switch(pool, **fields)

    assert error_name(pool.chain.send(pool.swap(SOL, 1, forward=True))) == "PoolDisabled"


@pytest.mark.parametrize(
    ("amount", "forward", "exact_out", "name"),
    [
        (0, True, False, "AmountIsZero"),
        (10**15, True, False, "PriceRangeViolation"),
        (2 * 10**11, True, True, "PriceRangeViolation"),
        (10**12, True, True, "MathOverflow"),
        (2_500 * SOL, False, True, "PriceRangeViolation"),
        (10**16, False, True, "MathOverflow"),
    ],
)
def test_invalid_amounts_are_refused(pool: DammV2, amount: int, forward: bool, exact_out: bool, name: str) -> None:
    swap = pool.swap(amount, 2**63 if exact_out else 0, forward=forward, exact_out=exact_out)

    assert error_name(pool.chain.send(swap)) == name


CPMM_VAULT = raydium_cpmm.vault_address(SOL_USDC_CPMM, token.NATIVE_MINT)


@pytest.mark.parametrize(
    ("index", "changes", "name"),
    [
        (meteora_damm_v2_instructions.POOL_AUTHORITY, {"key": STRANGER}, "ConstraintAddress"),
        (meteora_damm_v2_instructions.POOL, {"key": SOL_USDC_CPMM}, "AccountOwnedByWrongProgram"),
        (meteora_damm_v2_instructions.POOL, {"writable": False}, "AccountNotMutable"),
        (meteora_damm_v2_instructions.INPUT_TOKEN_ACCOUNT, {"key": STRANGER}, "AccountNotInitialized"),
        (meteora_damm_v2_instructions.OUTPUT_TOKEN_ACCOUNT, {"writable": False}, "AccountNotMutable"),
        (meteora_damm_v2_instructions.OUTPUT_TOKEN_ACCOUNT, {"key": SOL_USDC_CPMM}, "AccountOwnedByWrongProgram"),
        (meteora_damm_v2_instructions.INPUT_TOKEN_ACCOUNT, {"key": USDC, "writable": True}, "AccountDidNotDeserialize"),
        (meteora_damm_v2_instructions.TOKEN_A_VAULT, {"key": CPMM_VAULT}, "ConstraintHasOne"),
        (meteora_damm_v2_instructions.TOKEN_B_VAULT, {"key": CPMM_VAULT}, "ConstraintHasOne"),
        (meteora_damm_v2_instructions.TOKEN_A_MINT, {"key": STACC}, "ConstraintTokenMint"),
        (meteora_damm_v2_instructions.TOKEN_B_MINT, {"key": STACC}, "ConstraintTokenMint"),
        (meteora_damm_v2_instructions.PAYER, {"key": STRANGER, "signer": False}, "AccountNotSigner"),
        (
            meteora_damm_v2_instructions.TOKEN_A_PROGRAM,
            {"key": token.TOKEN_2022_PROGRAM_ID},
            "ConstraintTokenTokenProgram",
        ),
        (meteora_damm_v2_instructions.REFERRAL_TOKEN_ACCOUNT, {"key": CPMM_VAULT, "writable": True}, "InvalidInput"),
        (meteora_damm_v2_instructions.EVENT_AUTHORITY, {"key": STRANGER}, "ConstraintSeeds"),
    ],
)
def test_the_program_validates_its_accounts(
    pool: DammV2, index: int, changes: dict[str, Pubkey | bool], name: str
) -> None:
    swap = with_account(pool.swap(SOL, 1, forward=True), index, **changes)

    assert error_name(pool.chain.send(swap)) == name


def test_a_mismatched_account_is_refused_by_the_token_program(pool: DammV2) -> None:
    both_sol = with_account(
        pool.swap(SOL, 1, forward=True),
        meteora_damm_v2_instructions.OUTPUT_TOKEN_ACCOUNT,
        key=pool.chain.held(token.NATIVE_MINT),
    )

    assert error_code(pool.chain.send(both_sol)) == 3
