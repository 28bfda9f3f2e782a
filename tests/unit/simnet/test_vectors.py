"""The reference vectors run through the local programs: same accounts and errors as the real ones."""

from dataclasses import replace
from itertools import islice
from typing import Any, Final

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.pools.meteora_damm_v2 import accounts as damm_accounts
from orderd.pools.meteora_damm_v2 import addresses as damm_addresses
from orderd.pools.meteora_damm_v2 import instructions as damm_instructions
from orderd.pools.meteora_damm_v2 import program as damm
from orderd.pools.raydium_amm_v4 import addresses as v4_addresses
from orderd.pools.raydium_amm_v4 import instructions as v4_instructions
from orderd.pools.raydium_amm_v4 import program as v4
from orderd.pools.raydium_clmm import accounts as raydium_clmm_accounts
from orderd.pools.raydium_clmm import addresses as raydium_clmm_addresses
from orderd.pools.raydium_clmm import instructions as raydium_clmm_instructions
from orderd.pools.raydium_clmm import program as raydium_clmm
from orderd.pools.raydium_clmm.simnet import observation as raydium_clmm_observation
from orderd.pools.raydium_clmm.tick_arrays import arrays_in_order
from orderd.simnet.account import LedgerAccount, rent_exempt_minimum
from orderd.simnet.invoke import Clock
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.runtime import Outcome, execute
from orderd.simnet.transaction import decode
from orderd.solana.programs import system, token
from orderd.solana.programs.layout import Record
from orderd.solana.programs.token import Mint, TokenAccount
from tests.unit.amm.vectors import cases, load
from tests.unit.pools.meteora_damm_v2 import test_program as test_meteora_damm_v2
from tests.unit.pools.raydium_amm_v4 import test_program as test_raydium_amm_v4
from tests.unit.pools.raydium_clmm.accounts import POOL, arrays_of, config_of, state_of
from tests.unit.simnet.pools import error_code, error_name
from tests.unit.simnet.world import ALICE, Accounts, token_account
from tests.unit.solana.records import blank, key

CLMM: Final = load("raydium_clmm.json")
DAMM: Final = load("meteora_damm_v2.json")
AMM_V4: Final = load("raydium_amm_v4.json")

NOW = 1_800_000_000
U64_MAX = 2**64 - 1
RICH = 2**63
MINTS = key(1), key(2)
VAULTS = key(3), key(4)
HELD = key(31), key(32)
"""Where the trader keeps either token."""
MOST_ARRAYS = 12
"""More do not fit into a transaction."""
UNITS = 3_000_000


def owned(program: Pubkey, record: Record) -> LedgerAccount:
    data = record.encode()
    return LedgerAccount(rent_exempt_minimum(len(data)), program, data)


def world(authority: Pubkey, vaults: tuple[int, int], *, forward: bool) -> Accounts:
    """A trader with the maximum balance of the sold token, and a pool's vaults."""
    holdings = (U64_MAX, 0) if forward else (0, U64_MAX)
    programs = {program: LedgerAccount(1, system.PROGRAM_ID, executable=True) for program in PROGRAMS}
    return {
        **programs,
        ALICE.pubkey(): LedgerAccount(10**12, system.PROGRAM_ID),
        **{mint: owned(token.PROGRAM_ID, Mint.new(6, supply=U64_MAX)) for mint in MINTS},
        **{
            address: token_account(ALICE.pubkey(), mint, held)
            for address, mint, held in zip(HELD, MINTS, holdings, strict=True)
        },
        **{
            address: token_account(authority, mint, held)
            for address, mint, held in zip(VAULTS, MINTS, vaults, strict=True)
        },
    }


def run(accounts: Accounts, swap: Instruction, now: int = NOW, slot: int = 1) -> tuple[Outcome, Accounts]:
    """The outcome of a swap, and the accounts after it."""
    message = MessageV0.try_compile(ALICE.pubkey(), [swap], [], Hash.default())
    # One case crosses more ticks than any real transaction has compute units for: it is about what a swap pays.
    transaction = replace(decode(bytes(VersionedTransaction(message, [ALICE]))), unit_limit=UNITS)
    outcome = execute(transaction, accounts.get, Clock(slot, now), PROGRAMS)
    changed = {address: account for address, account in outcome.changes(transaction).items() if account is not None}
    return outcome, accounts | changed


def amount(accounts: Accounts, address: Pubkey) -> int:
    return TokenAccount.decode(accounts[address].data).amount


def moved(before: Accounts, after: Accounts, *, forward: bool) -> tuple[int, int]:
    """The amounts paid and received by the trader; checks that the vaults moved by the same."""
    changes = [amount(after, address) - amount(before, address) for address in HELD]
    assert changes == [amount(before, address) - amount(after, address) for address in VAULTS]
    return (-changes[0], changes[1]) if forward else (-changes[1], changes[0])


def clmm_world(pool: dict[str, Any], *, forward: bool) -> tuple[Accounts, raydium_clmm_accounts.PoolState]:
    program, state = raydium_clmm.PROGRAM_ID, state_of(pool)
    accounts = world(POOL, (RICH, RICH), forward=forward) | {
        POOL: owned(program, state),
        state.amm_config: owned(program, config_of(pool)),
        state.observation: owned(program, blank(raydium_clmm_observation.ObservationState, pool=POOL)),
        raydium_clmm_addresses.bitmap_extension_address(POOL): owned(
            program, raydium_clmm_accounts.TickArrayBitmapExtension(POOL)
        ),
    }
    for start, array in arrays_of(pool).items():
        accounts[raydium_clmm_addresses.tick_array_address(POOL, start)] = owned(program, array)
    return accounts, state


@pytest.mark.parametrize("case", cases(CLMM))
def test_raydium_clmm_answers_like_the_real_program(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    exact_in, forward = given["swap_mode"] == "exact_in", given["zero_for_one"]
    accounts, state = clmm_world(CLMM["pools"][case["pool"]], forward=forward)
    source, destination = HELD if forward else HELD[::-1]
    swap = raydium_clmm_instructions.swap(
        raydium_clmm_instructions.SwapV2(
            given["amount"], 0 if exact_in else U64_MAX, given["sqrt_price_limit_x64"], exact_in
        ),
        POOL,
        state,
        ALICE.pubkey(),
        source,
        destination,
        zero_for_one=forward,
        tick_arrays=list(islice(arrays_in_order(state, None, zero_for_one=forward), MOST_ARRAYS)),
        names_bitmap_extension=True,
    )

    outcome, after = run(accounts, swap)

    if "error" in expected:
        assert error_name(outcome) == expected["program_error"]
        return
    assert outcome.error is None, outcome.logs
    assert moved(accounts, after, forward=forward) == (expected["amount_in"], expected["amount_out"])
    end, state = expected["end_state"], raydium_clmm_accounts.PoolState.decode(after[POOL].data)
    assert (state.sqrt_price_x64, state.tick_current, state.liquidity) == (
        end["sqrt_price_x64"],
        end["tick_current"],
        end["liquidity"],
    )
    assert (state.protocol_fees_0, state.protocol_fees_1) == (
        end["protocol_fees_token_0"],
        end["protocol_fees_token_1"],
    )
    assert state.fund_fees_0 + state.fund_fees_1 == end["fund_fees_delta"]
    growths = state.fee_growth_global_0_x64, state.fee_growth_global_1_x64
    assert growths == (end["fee_growth_global_0_x64"], end["fee_growth_global_1_x64"])


@pytest.mark.parametrize("case", cases(DAMM))
def test_meteora_damm_v2_answers_like_the_real_program(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    exact_in, forward = given["swap_mode"] == "exact_in", given["direction"] == "a_to_b"
    accounts = world(damm_addresses.POOL_AUTHORITY_ADDRESS, (RICH, RICH), forward=forward)
    state = replace(
        test_meteora_damm_v2.account_of(DAMM["pools"][case["pool"]]),
        token_a_mint=MINTS[0],
        token_b_mint=MINTS[1],
        token_a_vault=VAULTS[0],
        token_b_vault=VAULTS[1],
    )
    accounts[POOL] = owned(damm.PROGRAM_ID, state)
    source, destination = HELD if forward else HELD[::-1]
    mode = damm_instructions.SwapMode.EXACT_IN if exact_in else damm_instructions.SwapMode.EXACT_OUT
    order = damm_instructions.Swap2(given["amount"], 0 if exact_in else U64_MAX, mode)

    outcome, after = run(
        accounts,
        damm_instructions.swap(order, POOL, state, ALICE.pubkey(), source, destination),
        given["current_timestamp"],
    )

    if "error" in expected:
        assert error_name(outcome) == expected["program_error"]
        return
    assert outcome.error is None, outcome.logs
    assert moved(accounts, after, forward=forward) == (expected["amount_in"], expected["amount_out"])
    end, state = expected["end_state"], damm_accounts.Pool.decode(after[POOL].data)
    for name, value in end.items():
        if name in damm_accounts.Pool.__slots__:
            assert getattr(state, name) == value, name


def has_no_order_book(case: dict[str, Any]) -> bool:
    """Today's instructions count no funds that an earlier release placed on an order book."""
    pool = AMM_V4["pools"][case["pool"]]
    return not (pool["open_orders_native_coin_total"] or pool["open_orders_native_pc_total"])


@pytest.mark.parametrize("case", [case for case in cases(AMM_V4) if has_no_order_book(case.values[0])])
def test_raydium_amm_v4_answers_like_the_real_program(case: dict[str, Any]) -> None:
    pool, given, expected = AMM_V4["pools"][case["pool"]], case["input"], case["expected"]
    authority, nonce = v4_addresses.authority_address()
    forward = given["direction"] == "coin_to_pc"
    accounts = world(authority, (pool["coin_vault_amount"], pool["pc_vault_amount"]), forward=forward)
    state = test_raydium_amm_v4.account_of(pool, coin_vault=VAULTS[0], pc_vault=VAULTS[1], nonce=nonce)
    accounts[POOL] = owned(v4.PROGRAM_ID, state)
    source, destination = HELD if forward else HELD[::-1]
    order: v4_instructions.SwapBaseInV2 | v4_instructions.SwapBaseOutV2 = v4_instructions.SwapBaseOutV2(
        U64_MAX, given["amount"]
    )
    if given["swap_mode"] == "exact_in":
        order = v4_instructions.SwapBaseInV2(given["amount"], 0)

    outcome, after = run(accounts, v4_instructions.swap(order, POOL, state, ALICE.pubkey(), source, destination))

    if "error" in expected:
        codes = {"zero_output": 29, "insufficient_liquidity": "ProgramFailedToComplete"}
        assert error_code(outcome) == codes[expected["error"]]
        return
    assert outcome.error is None, outcome.logs
    assert moved(accounts, after, forward=forward) == (expected["amount_in"], expected["amount_out"])
