"""Raydium CLMM on the local chain: crossed ticks, order of arrays, and the program's error names."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.amm.tick_math import sqrt_price_at_tick
from orderd.pools.raydium_clmm import addresses as raydium_clmm_addresses
from orderd.pools.raydium_clmm import instructions as raydium_clmm_instructions
from orderd.pools.raydium_clmm.accounts import PoolStatus, TickArrayState
from orderd.pools.raydium_clmm.maths.pool import ticks_ahead
from orderd.pools.raydium_clmm.simnet import observation as raydium_clmm_observation
from orderd.pools.raydium_clmm.simnet.genesis import SOL_USDC_CLMM_4BPS, SOL_USDC_CLMM_25BPS
from orderd.pools.raydium_clmm.tick_arrays import array_start, own_bit
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.genesis import STACC
from orderd.solana.programs import token
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import STRANGER, Clmm, error_code, error_name, with_account

SOL = 10**9
USDC = 10**6
TWO_ARRAYS = {True: 2_000 * SOL, False: 200_000 * USDC}
"""An amount that reaches the second tick array, by direction."""


@pytest.fixture
def pool(chain: LocalChain) -> Clmm:
    return Clmm(chain, SOL_USDC_CLMM_4BPS)


def switch(pool: Clmm, **fields: Any) -> None:
    """Change fields of the pool's account."""
    accounts = pool.chain.bank.accounts
    accounts[pool.address] = accounts[pool.address]._replace(data=replace(pool.state, **fields).encode())


def test_the_real_pool_is_at_its_real_address() -> None:
    assert str(SOL_USDC_CLMM_4BPS) == "3ucNos4NbumPLZNWztqGHNFFgkHeRMBQAVemeeomsUxv"


@pytest.mark.parametrize("forward", [True, False], ids=["down", "up"])
@pytest.mark.parametrize("exact_out", [False, True], ids=["exact in", "exact out"])
def test_a_large_swap_walks_over_tick_arrays(pool: Clmm, forward: bool, exact_out: bool) -> None:
    size = TWO_ARRAYS[forward != exact_out]
    expected = pool.quote(size, forward=forward, exact_out=exact_out)
    assert len({array_start(each.tick, 1) for each in expected.crossings}) > 1

    limit = expected.amount_in if exact_out else expected.amount_out
    outcome = pool.chain.send(pool.swap(size, limit, forward=forward, exact_out=exact_out))

    assert outcome.error is None
    assert pool.pool() == expected.pool


@pytest.mark.parametrize("forward", [True, False], ids=["down", "up"])
def test_crossed_ticks_invert_their_fee_growth_and_others_do_not(pool: Clmm, forward: bool) -> None:
    """The growth outside a crossed tick is the total growth at the crossing less its former value."""
    before = {start: pool.tick_array(start) for start in pool.all_arrays()}
    expected = pool.quote(50 * SOL if forward else 100_000 * USDC, forward=forward)
    crossed = {each.tick: each for each in expected.crossings}
    assert crossed

    pool.chain.send(pool.swap(expected.amount_in, expected.amount_out, forward=forward))

    for start, array in before.items():
        now = pool.tick_array(start)
        for tick in (each.tick for each in array.initialized_ticks()):
            old, new = array.tick(tick, 1), now.tick(tick, 1)
            if tick not in crossed:
                assert new == old
                continue
            growth_0, growth_1 = crossed[tick].fee_growth_global_0, crossed[tick].fee_growth_global_1
            assert new.fee_growth_outside_0_x64 == growth_0 - old.fee_growth_outside_0_x64
            assert new.fee_growth_outside_1_x64 == growth_1 - old.fee_growth_outside_1_x64
            assert (new.liquidity_net, new.liquidity_gross) == (old.liquidity_net, old.liquidity_gross)


def test_crossing_a_tick_twice_keeps_the_fees_between_in_its_outside_growth(pool: Clmm) -> None:
    """Its outside growth is the former value plus the fees earned between the two crossings."""
    there = pool.quote(2_000 * SOL, forward=True)
    pool.chain.send(pool.swap(2_000 * SOL, 1, forward=True))
    back = pool.quote(there.amount_out, forward=False)
    pool.chain.send(pool.swap(there.amount_out, 1, forward=False))

    down = {each.tick: each for each in there.crossings}
    up = {each.tick: each for each in back.crossings}
    twice = down.keys() & up.keys()
    assert twice
    for tick in twice:
        state = pool.tick_array(array_start(tick, 1)).tick(tick, 1)
        assert state.fee_growth_outside_0_x64 == up[tick].fee_growth_global_0 - down[tick].fee_growth_global_0
        assert state.fee_growth_outside_1_x64 == up[tick].fee_growth_global_1 - down[tick].fee_growth_global_1


def put_orders(pool: Clmm, tick: int, orders: dict[str, Any]) -> None:
    """Put limit orders at a tick, in a new array if necessary."""
    start = array_start(tick, 1)
    accounts = pool.chain.bank.accounts
    address = raydium_clmm_addresses.tick_array_address(pool.address, start)
    known = start in pool.all_arrays()
    array = pool.tick_array(start) if known else TickArrayState(pool.address, start)
    content = replace(array.tick(tick, 1), tick=tick, **orders)
    array = replace(array.with_tick(content, 1), initialized_tick_count=array.initialized_tick_count + (not known))
    owner = pool.chain.account(pool.address)
    accounts[address] = owner._replace(data=array.encode())
    bit = own_bit(start, 1)
    assert bit is not None
    switch(pool, tick_array_bitmap=pool.state.tick_array_bitmap | bit)


@pytest.mark.parametrize("waiting", [10**3, 10**15], ids=["all of them", "a part of them"])
def test_limit_orders_at_a_tick_are_filled(pool: Clmm, waiting: int) -> None:
    tick = next(each.tick for each in ticks_ahead(pool.pool(), zero_for_one=True))
    put_orders(pool, tick, {"orders_amount": waiting, "order_phase": 4})
    expected = pool.quote(50 * SOL, forward=True)
    assert expected.filled

    outcome = pool.chain.send(pool.swap(50 * SOL, expected.amount_out, forward=True))

    assert outcome.error is None
    assert pool.pool() == expected.pool
    left = pool.tick_array(array_start(tick, 1)).tick(tick, 1)
    assert (left.order_phase, left.orders_amount) == (5, 0)
    assert (
        left.part_filled_orders_remaining + expected.filled[0].orders.waiting == 2 * expected.filled[0].orders.waiting
    )
    assert (left.part_filled_orders_remaining > 0) == (waiting == 10**15)


def test_a_tick_array_without_remaining_orders_is_removed_from_the_bitmap(pool: Clmm) -> None:
    start = min(pool.all_arrays()) - 60
    switch(pool, liquidity=0, tick_array_bitmap=0)
    put_orders(pool, start, {"orders_amount": 5})
    assert pool.arrays(forward=True) == [start]

    outcome = pool.chain.send(pool.swap(5, 2**63, forward=True, exact_out=True))

    assert outcome.error is None
    assert (pool.state.tick_array_bitmap, pool.tick_array(start).initialized_tick_count) == (0, 0)


def test_the_price_history_gets_an_entry_when_the_tick_moves(pool: Clmm) -> None:
    def history() -> raydium_clmm_observation.ObservationState:
        return raydium_clmm_observation.ObservationState.decode(pool.chain.account(pool.state.observation).data)

    pool.chain.send(pool.swap(2_000 * SOL, 1, forward=True))
    first = history()
    pool.chain.now += 20
    pool.chain.seal()
    stood_at = pool.state.tick_current
    pool.chain.send(pool.swap(2_000 * SOL, 2**63, forward=False, exact_out=True))
    second = history()

    assert (first.initialized, first.index, second.index) == (1, 0, 1)
    assert first.observation(0).block_timestamp + 20 == second.observation(1).block_timestamp
    assert second.observation(1).tick_cumulative == 20 * stood_at


def test_a_price_limit_makes_a_partial_fill_legal(pool: Clmm) -> None:
    limit = sqrt_price_at_tick(pool.state.tick_current - 20)
    before = pool.chain.amount(pool.chain.held(token.NATIVE_MINT))

    outcome = pool.chain.send(pool.swap(40_000 * SOL, 1, forward=True, price_limit=limit))

    assert outcome.error is None
    assert pool.state.sqrt_price_x64 == limit
    assert 0 < before - pool.chain.amount(pool.chain.held(token.NATIVE_MINT)) < 40_000 * SOL


def test_the_event_has_the_swapped_amounts(pool: Clmm) -> None:
    expected = pool.quote(SOL, forward=True)

    outcome = pool.chain.send(pool.swap(SOL, 1, forward=True))

    (line,) = [line for line in outcome.logs if line.startswith("Program data: ")]
    event = base64.b64decode(line.removeprefix("Program data: "))
    assert event[8:40] == bytes(pool.address)
    assert int.from_bytes(event[136:144], "little") == SOL
    assert int.from_bytes(event[152:160], "little") == expected.amount_out
    assert int.from_bytes(event[169:185], "little") == expected.pool.sqrt_price


def arrays_in_a_wrong_way(pool: Clmm, way: str) -> list[int]:
    first, second, *_ = pool.arrays(forward=True)
    above = pool.arrays(forward=False)[-1]
    return {
        "the first is missing": [second],
        "they are the other way's": [above],
        "the second is missing": [first],
        "they stand in reverse": [second, first],
    }[way]


@pytest.mark.parametrize(
    ("way", "name"),
    [
        ("the first is missing", "InvalidFirstTickArrayAccount"),
        ("they are the other way's", "InvalidFirstTickArrayAccount"),
        ("the second is missing", "NotEnoughTickArrayAccount"),
        ("they stand in reverse", "NotEnoughTickArrayAccount"),
    ],
)
def test_tick_arrays_must_come_in_the_order_of_the_walk(pool: Clmm, way: str, name: str) -> None:
    swap = pool.swap(2_000 * SOL, 1, forward=True, arrays=arrays_in_a_wrong_way(pool, way))

    assert error_name(pool.chain.send(swap)) == name


def test_other_tick_arrays_may_be_named_in_between(pool: Clmm) -> None:
    first, second, *_ = pool.arrays(forward=True)
    above = pool.arrays(forward=False)[-1]

    outcome = pool.chain.send(pool.swap(2_000 * SOL, 1, forward=True, arrays=[above, first, above, second]))

    assert outcome.error is None


def test_a_swap_without_tick_arrays_panics(pool: Clmm) -> None:
    assert error_code(pool.chain.send(pool.swap(SOL, 1, forward=True, arrays=[]))) == "ProgramFailedToComplete"


def test_tick_arrays_must_belong_to_the_pool_and_be_writable(pool: Clmm) -> None:
    swap = pool.swap(SOL, 1, forward=True)
    arrays = raydium_clmm_instructions.TICK_ARRAYS
    foreign = replace(pool.tick_array(pool.arrays(forward=True)[0]), pool_id=STRANGER)
    pool.chain.bank.accounts[STRANGER] = pool.chain.account(swap.accounts[arrays].pubkey)._replace(
        data=foreign.encode()
    )

    read_only = with_account(swap, arrays, writable=False)
    assert error_name(pool.chain.send(read_only)) == "AccountNotMutable"
    assert error_name(pool.chain.send(with_account(swap, arrays, key=STRANGER))) == "RequireKeysEqViolated"


@pytest.mark.parametrize(
    ("named", "forward", "name"),
    [
        (False, True, "MissingTickArrayBitmapExtensionAccount"),
        (True, True, "LiquidityInsufficient"),
        (True, False, "LiquidityInsufficient"),
    ],
)
def test_an_amount_above_all_ticks_is_refused(chain: LocalChain, named: bool, forward: bool, name: str) -> None:
    """Without the extension the program cannot know that no further arrays exist."""
    pool = Clmm(chain, SOL_USDC_CLMM_25BPS)
    swap = pool.swap(10**6 * (SOL if forward else 100 * USDC), 1, forward=forward, names_bitmap_extension=named)

    assert error_name(pool.chain.send(swap)) == name


def test_crossing_more_ticks_than_units_allow_is_refused(pool: Clmm) -> None:
    outcome = pool.chain.send(pool.swap(10**6 * SOL, 1, forward=True))

    assert error_code(outcome) == "ProgramFailedToComplete"
    assert outcome.units == MAX_COMPUTE_UNITS


def test_a_single_unit_of_slippage_is_refused(pool: Clmm) -> None:
    bought = pool.quote(SOL, forward=True)
    paid = pool.quote(SOL, forward=False, exact_out=True)
    before = pool.pool()

    too_little = pool.chain.send(pool.swap(SOL, bought.amount_out + 1, forward=True))
    too_much = pool.chain.send(pool.swap(SOL, paid.amount_in - 1, forward=False, exact_out=True))

    assert (error_name(too_little), error_name(too_much)) == ("TooLittleOutputReceived", "TooMuchInputPaid")
    assert pool.pool() == before


def test_the_limit_is_checked_after_the_transfers(pool: Clmm) -> None:
    outcome = pool.chain.send(pool.swap(SOL, 2**63, forward=True))

    assert [call.program_id for _, calls in outcome.inner for call in calls] == [token.PROGRAM_ID] * 2
    assert error_name(outcome) == "TooLittleOutputReceived"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"status": PoolStatus.SWAP_DISABLED}, "NotApproved"),
        ({"status": 255}, "NotApproved"),
        ({"open_time": 2**40}, "RequireGtViolated"),
    ],
)
def test_a_closed_pool_refuses_swaps(pool: Clmm, fields: dict[str, int], name: str) -> None:
    switch(pool, **fields)

    assert error_name(pool.chain.send(pool.swap(SOL, 1, forward=True))) == name


@pytest.mark.parametrize(
    ("amount", "price_limit", "name"),
    [
        (0, 0, "ZeroAmountSpecified"),
        (1, 0, "TooSmallInputOrOutputAmount"),
        (SOL, 2**64, "SqrtPriceLimitOverflow"),
    ],
)
def test_invalid_amounts_and_limits_are_refused(pool: Clmm, amount: int, price_limit: int, name: str) -> None:
    assert error_name(pool.chain.send(pool.swap(amount, 0, forward=True, price_limit=price_limit))) == name


def test_an_empty_vault_makes_swaps_fail(pool: Clmm) -> None:
    expected = pool.quote(SOL, forward=True)
    vault = pool.chain.account(pool.state.vault_1)
    held = token.TokenAccount.decode(vault.data)
    pool.chain.bank.accounts[pool.state.vault_1] = vault._replace(
        data=replace(held, amount=expected.amount_out).encode()
    )

    assert pool.chain.send(pool.swap(SOL, 1, forward=True)).error is None
    assert pool.state.status == 255
    assert error_name(pool.chain.send(pool.swap(SOL, 1, forward=True))) == "NotApproved"


@pytest.mark.parametrize(
    ("index", "changes", "name"),
    [
        (raydium_clmm_instructions.PAYER, {"key": STRANGER, "signer": False}, "AccountNotSigner"),
        (raydium_clmm_instructions.AMM_CONFIG, {"key": raydium_clmm_addresses.config_address(1)}, "ConstraintAddress"),
        (raydium_clmm_instructions.AMM_CONFIG, {"key": STRANGER}, "AccountNotInitialized"),
        (raydium_clmm_instructions.POOL_STATE, {"key": SOL_USDC_CPMM}, "AccountOwnedByWrongProgram"),
        (
            raydium_clmm_instructions.POOL_STATE,
            {"key": raydium_clmm_addresses.config_address(1)},
            "AccountDiscriminatorMismatch",
        ),
        (raydium_clmm_instructions.POOL_STATE, {"key": SOL_USDC_CLMM_25BPS}, "ConstraintAddress"),
        (raydium_clmm_instructions.POOL_STATE, {"writable": False}, "ConstraintMut"),
        (raydium_clmm_instructions.INPUT_TOKEN_ACCOUNT, {"key": STRANGER}, "AccountNotInitialized"),
        (raydium_clmm_instructions.OUTPUT_TOKEN_ACCOUNT, {"writable": False}, "ConstraintMut"),
        (
            raydium_clmm_instructions.INPUT_VAULT,
            {"key": raydium_clmm_addresses.vault_address(SOL_USDC_CLMM_25BPS, token.NATIVE_MINT)},
            "InvalidInputPoolVault",
        ),
        (
            raydium_clmm_instructions.OBSERVATION_STATE,
            {"key": raydium_clmm_addresses.observation_address(SOL_USDC_CLMM_25BPS)},
            "ConstraintAddress",
        ),
        (raydium_clmm_instructions.TOKEN_PROGRAM, {"key": token.TOKEN_2022_PROGRAM_ID}, "InvalidProgramId"),
        (raydium_clmm_instructions.TOKEN_PROGRAM_2022, {"key": token.PROGRAM_ID}, "InvalidProgramId"),
        (raydium_clmm_instructions.MEMO_PROGRAM, {"key": STRANGER}, "InvalidProgramId"),
        (raydium_clmm_instructions.INPUT_VAULT_MINT, {"key": STACC}, "ConstraintAddress"),
        (raydium_clmm_instructions.OUTPUT_VAULT_MINT, {"key": STRANGER}, "AccountNotInitialized"),
    ],
)
def test_the_program_validates_its_accounts(
    pool: Clmm, index: int, changes: dict[str, Pubkey | bool], name: str
) -> None:
    swap = with_account(pool.swap(SOL, 1, forward=True), index, **changes)

    assert error_name(pool.chain.send(swap)) == name


def test_units_match_those_of_the_real_program(pool: Clmm) -> None:
    """53.9k with one array, 79.6k with three, and 16k per tick."""
    assert 53_900 < pool.chain.send(pool.swap(SOL, 1, forward=True)).units < 80_000
    ticks = pool.quote(150 * SOL, forward=True).ticks_crossed
    assert ticks > 2
    assert 53_900 < pool.chain.send(pool.swap(150 * SOL, 1, forward=True)).units - 16_000 * ticks < 80_000


@pytest.mark.parametrize("address", [SOL_USDC_CLMM_4BPS, SOL_USDC_CLMM_25BPS])
def test_vaults_cover_the_output_of_all_ticks(chain: LocalChain, address: Pubkey) -> None:
    pool = Clmm(chain, address)
    for forward in (True, False):
        ahead = [each.tick for each in ticks_ahead(pool.pool(), forward)]
        for limit in [*ahead[49::50], ahead[-1]]:  # As many ticks as one transaction has compute units for.
            swap = pool.swap(10**16, 1, forward=forward, price_limit=sqrt_price_at_tick(limit))
            assert chain.send(swap).error is None
        assert pool.state.status == 0


def test_the_program_signs_for_the_pools_derived_address(pool: Clmm) -> None:
    """A bump that gives no address panics; one that gives another address cannot move the tokens."""
    errors = set()
    for bump in range(240, pool.state.bump):
        switch(pool, bump=bump)
        errors.add(error_code(pool.chain.send(pool.swap(SOL, 1, forward=True))))
    assert errors == {"ProgramFailedToComplete", "PrivilegeEscalation"}
