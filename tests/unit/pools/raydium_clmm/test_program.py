"""Raydium CLMM: accounts as on mainnet, and swap instructions as the program parses them."""

import base64
import hashlib
import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.amm.swap import U128_MAX, SwapError
from orderd.amm.tick_math import sqrt_price_at_tick
from orderd.pools.raydium_clmm import accounts as clmm_accounts
from orderd.pools.raydium_clmm import addresses as clmm_addresses
from orderd.pools.raydium_clmm import instructions as clmm_instructions
from orderd.pools.raydium_clmm import program as clmm
from orderd.pools.raydium_clmm.maths import pool as amm
from orderd.pools.raydium_clmm.simnet import handler as clmm_handler
from orderd.pools.raydium_clmm.simnet import observation as clmm_observation
from orderd.pools.raydium_clmm.simnet.write_back import crossed, pool_after
from orderd.pools.raydium_clmm.tick_arrays import arrays_in_order
from orderd.solana.programs import memo, token
from orderd.solana.programs.layout import LayoutError, Record
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError
from tests.unit.amm.vectors import cases, load
from tests.unit.pools.raydium_clmm.accounts import arrays_of, config_of, state_of
from tests.unit.solana.records import blank, key, uses

DOCUMENT = load("raydium_clmm.json")
POOLS = DOCUMENT["pools"]

MAINNET_POOL = Pubkey.from_string("3ucNos4NbumPLZNWztqGHNFFgkHeRMBQAVemeeomsUxv")
MAINNET_STATE = base64.b64decode(
    "9+3j9dfD3kb/J/h1kZHXDyshRTJ1cBKA+75w9IwihSFNbCJrm2AsTU2n4L9mLmKyVEpBQSbsZYZslSyLgLfqrjxPjwNPsqt58AabiFf+q4GE+2h/"
    "Y0YYwDXaxDncGus7VZig8AAAAAABxvp6877brTo9ZfNqq8l0MbG75MLS9uDkfKYCA0UvXWE1xC8EegCgoA4uXlAv1Mq8Ujt5easRI0mT0Kd5/M0S"
    "aUYpXTwujyqOjii0GtMaFsBn/mlkafyZcZXVyvv1WhbIJa4wmFjRjYV3XU2tkbL5lj49adulPU/iZbZpnkdbsRkJBgEAs3Rlb53yAAAAAAAAAAAA"
    "APXdJaANW59RAAAAAAAAAACxpv//AAAAAMMl+J/CzzZYAAAAAAAAAADOFm/PP9z7DAAAAAAAAAAAtidaBwAAAABSWXQAAAAAAEqLn9KvziUBAAAA"
    "AAAAAAAKh7aUYfUuAAAAAAAAAAAAuetoMG0GLwAAAAAAAAAAADo7fnFD+SUBAAAAAAAAAAAAAAAAAAAAAA=="
)
MAINNET_CONFIG = base64.b64decode(
    "2vQhaMvLK2/7CAAMQp0XD//kFvH0bshXTH95CgVQFr7cVCJx/Cp2eMCy6cDUAQCQAQAAAQBAnAAAAAAAAN2JaHqSiXZJS7Te58XKrpNlU2qJ9oFA"
    "fTjo+MajHRPD"
)
"""Slot 446605268: of the pool's account the first 397 bytes, of its configuration's the first 93."""

ACCOUNTS: list[tuple[type[Record], str, int]] = [
    (clmm_accounts.AmmConfig, "AmmConfig", 117),
    (clmm_accounts.PoolState, "PoolState", 1544),
    (clmm_accounts.TickArrayState, "TickArrayState", 10240),
    (clmm_accounts.TickArrayBitmapExtension, "TickArrayBitmapExtension", 1832),
    (clmm_observation.ObservationState, "ObservationState", 4483),
]


@pytest.mark.parametrize(("kind", "name", "size"), ACCOUNTS, ids=[name for _, name, _ in ACCOUNTS])
def test_accounts_have_the_programs_sizes_and_survive_a_round_trip(kind: type[Record], name: str, size: int) -> None:
    generator = random.Random(name)
    assert kind.size() == size
    assert hashlib.sha256(f"account:{name}".encode()).digest()[:8] == kind.DISCRIMINATOR
    for _ in range(20):
        data = kind.DISCRIMINATOR + generator.randbytes(size - 8)
        assert kind.decode(data).encode() == data
    with pytest.raises(LayoutError, match="starts with"):
        kind.decode(bytes(size))


@pytest.mark.parametrize("kind", [clmm_accounts.TickState, clmm_accounts.RewardInfo, clmm_observation.Observation])
def test_parts_of_accounts_survive_a_round_trip(kind: type[Record]) -> None:
    data = random.Random(kind.__name__).randbytes(kind.size())
    assert kind.decode(data).encode() == data


def test_accounts_of_mainnet_are_read() -> None:
    data = MAINNET_STATE + bytes(1544 - 397)
    state, given = clmm_accounts.PoolState.decode(data), POOLS["real_wsol_usdc_4bps"]["pool_state"]
    assert state.encode() == data
    assert state.mint_0 == token.NATIVE_MINT
    assert str(state.mint_1) == "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
    mint_0, mint_1 = (clmm_accounts.PoolState.offset(name) for name in ("mint_0", "mint_1"))
    assert (data[mint_0:][:32], data[mint_1:][:32]) == (bytes(state.mint_0), bytes(state.mint_1))
    assert (state.mint_0_decimals, state.mint_1_decimals, state.tick_spacing) == (9, 6, 1)
    assert (state.liquidity, state.sqrt_price_x64) == (given["liquidity"], given["sqrt_price_x64"])
    assert (state.tick_current, state.protocol_fees_0) == (given["tick_current"], given["protocol_fees_token_0"])
    assert state.fee_growth_global_1_x64 == given["fee_growth_global_1_x64"]
    assert (state.status, state.fee_on, state.dynamic_fee) == (0, 0, clmm_accounts.NO_DYNAMIC_FEE)

    config = clmm_accounts.AmmConfig.decode(MAINNET_CONFIG + bytes(24))
    assert config.index == 8
    assert {name: getattr(config, name) for name in POOLS["real_wsol_usdc_4bps"]["amm_config"]} == (
        POOLS["real_wsol_usdc_4bps"]["amm_config"]
    )


def test_program_addresses_are_those_on_mainnet() -> None:
    state = clmm_accounts.PoolState.decode(MAINNET_STATE + bytes(1544 - 397))
    assert clmm_addresses.config_address(8) == state.amm_config
    assert clmm_addresses.pool_address(state.amm_config, state.mint_0, state.mint_1) == MAINNET_POOL
    assert clmm_addresses.vault_address(MAINNET_POOL, state.mint_0) == state.vault_0
    assert clmm_addresses.vault_address(MAINNET_POOL, state.mint_1) == state.vault_1
    assert clmm_addresses.observation_address(MAINNET_POOL) == state.observation
    assert str(clmm_addresses.bitmap_extension_address(MAINNET_POOL)) == "4NFvUKqknMpoe6CWTzK758B8ojVLzURL5pC6MtiaJ8TQ"
    assert (
        str(clmm_addresses.tick_array_address(MAINNET_POOL, -23_400)) == "B91BepvpchUqvnnMh96Krk66bw2R8zxcpdu2xbwDH51b"
    )


def test_late_fields_have_the_programs_offsets() -> None:
    marked = bytearray(clmm_accounts.PoolState.DISCRIMINATOR + bytes(1536))
    marked[390] = 2
    marked[904:1032] = (1 << 1023).to_bytes(128, "little")
    marked[1064:1072] = (7).to_bytes(8, "little")
    marked[1080:1088] = (99).to_bytes(8, "little")
    marked[1096:1176] = b"\x01" * 80
    state = clmm_accounts.PoolState.decode(bytes(marked))
    assert (state.fee_on, state.tick_array_bitmap, state.fund_fees_0) == (2, 1 << 1023, 7)
    assert (state.open_time, state.dynamic_fee.encode()) == (99, b"\x01" * 80)

    tick = bytearray(168)
    tick[4:20] = (-5).to_bytes(16, "little", signed=True)
    tick[124:132] = (11).to_bytes(8, "little")
    tick[132:140] = (12).to_bytes(8, "little")
    read = clmm_accounts.TickState.decode(bytes(tick))
    assert (read.liquidity_net, read.orders_amount, read.part_filled_orders_remaining) == (-5, 11, 12)


@pytest.mark.parametrize("case", cases(DOCUMENT))
def test_a_pool_read_from_its_accounts_swaps_the_same(case: dict[str, Any]) -> None:
    """With the accounts that a client reads for this direction: pool, fee rates, and the arrays in its bitmap."""
    pool, given, expected = POOLS[case["pool"]], case["input"], case["expected"]
    zero_for_one = given["zero_for_one"]
    state = clmm_accounts.PoolState.decode(state_of(pool).encode())
    config = clmm_accounts.AmmConfig.decode(config_of(pool).encode())
    stored = {start: array.encode() for start, array in arrays_of(pool).items()}
    order = list(arrays_in_order(state, None, zero_for_one=zero_for_one))
    assert all((before > after) == zero_for_one for before, after in pairwise(order))
    tradable = state.to_pool(config, (clmm_accounts.TickArrayState.decode(stored[start]) for start in order))

    swap = amm.swap_exact_in if given["swap_mode"] == "exact_in" else amm.swap_exact_out
    limit = given["sqrt_price_limit_x64"] or None
    if "error" in expected:
        with pytest.raises(SwapError, match=expected["error"]):
            swap(tradable, given["amount"], zero_for_one=zero_for_one, now=0, sqrt_price_limit=limit)
        return
    outcome = swap(tradable, given["amount"], zero_for_one=zero_for_one, now=0, sqrt_price_limit=limit)
    assert (outcome.amount_in, outcome.amount_out) == (expected["amount_in"], expected["amount_out"])

    after, end = clmm_accounts.PoolState.decode(pool_after(state, outcome.pool, 900).encode()), expected["end_state"]
    assert (after.sqrt_price_x64, after.tick_current) == (end["sqrt_price_x64"], end["tick_current"])
    assert after.liquidity == end["liquidity"]
    assert after.fee_growth_global_0_x64 == end["fee_growth_global_0_x64"]
    assert after.fee_growth_global_1_x64 == end["fee_growth_global_1_x64"]
    assert (after.protocol_fees_0, after.protocol_fees_1) == (
        end["protocol_fees_token_0"],
        end["protocol_fees_token_1"],
    )
    assert (after.fund_fees_0 if zero_for_one else after.fund_fees_1) == end["fund_fees_delta"]
    assert (after.recent_epoch, after.tick_array_bitmap, after.vault_0) == (900, state.tick_array_bitmap, state.vault_0)


def test_arrays_may_come_in_any_order_and_more_than_once() -> None:
    pool = POOLS["real_wsol_usdc_4bps"]
    arrays = list(arrays_of(pool).values())
    tradable = state_of(pool).to_pool(config_of(pool), [*arrays, *reversed(arrays)])
    assert [tick.tick for tick in tradable.ticks] == [tick["tick"] for tick in pool["ticks"]]


def test_only_liquidity_of_the_given_arrays_is_traded() -> None:
    pool = POOLS["constructed_sol_usdc_25bps"]
    near = [array for start, array in arrays_of(pool).items() if start == -25_200]
    tradable = state_of(pool).to_pool(config_of(pool), near)
    with pytest.raises(SwapError, match="insufficient_liquidity"):
        amm.swap_exact_in(tradable, 10**15, zero_for_one=True, now=0)
    assert amm.swap_exact_in(tradable, 10**9, zero_for_one=True, now=0).amount_out > 0


def test_the_fee_side_of_a_pool_is_read() -> None:
    pool = POOLS["constructed_sol_usdc_25bps"]
    arrays = list(arrays_of(pool).values())
    for fee_on in (0, 1, 2):
        tradable = state_of(pool, fee_on=fee_on).to_pool(config_of(pool), arrays)
        swap = amm.swap_exact_in(tradable, 10**9, zero_for_one=True, now=0)
        assert swap.fee_on_input == (fee_on != 2)


def test_an_unknown_fee_side_is_refused() -> None:
    pool = POOLS["constructed_sol_usdc_25bps"]
    with pytest.raises(UnsupportedPoolError, match="fee_side") as refused:
        state_of(pool, fee_on=3).to_pool(config_of(pool), [])
    assert refused.value.reason == Unsupported.FEE_SIDE


@pytest.mark.parametrize("waiting", [{"orders_amount": 1}, {"part_filled_orders_remaining": 1}], ids=str)
def test_a_tick_with_only_limit_orders_is_used(waiting: dict[str, Any]) -> None:
    pool = POOLS["constructed_sol_usdc_25bps"]
    arrays = arrays_of(pool)
    arrays[-25_200] = arrays[-25_200].with_tick(clmm_accounts.TickState(tick=-24_000, **waiting), 60)
    (tick,) = (each for each in state_of(pool).to_pool(config_of(pool), arrays.values()).ticks if each.tick == -24_000)
    assert (tick.orders.waiting, tick.has_liquidity) == (1, False)
    filled = clmm_accounts.TickState(tick=-24_000, order_phase=3, unfilled_ratio_x64=1 << 64)
    arrays[-25_200] = arrays[-25_200].with_tick(filled, 60)
    tradable = state_of(pool).to_pool(config_of(pool), arrays.values())
    assert -24_000 not in [tick.tick for tick in tradable.ticks]


def test_a_pool_swaps_after_its_opening_second_unless_disabled() -> None:
    state = state_of(POOLS["constructed_sol_usdc_25bps"], open_time=1_000)
    assert [state.accepts_swaps(now) for now in (999, 1_000, 1_001)] == [False, False, True]
    assert not replace(state, status=0b0001_0000).accepts_swaps(1_001)
    assert replace(state, status=0b1110_1111).accepts_swaps(1_001)


def test_a_tick_is_found_only_in_its_array() -> None:
    array = clmm_accounts.TickArrayState(key(77), -3_600).with_tick(
        clmm_accounts.TickState(tick=-60, liquidity_gross=9), 60
    )
    assert array.tick(-60, 60).liquidity_gross == 9
    assert array.tick(-120, 60) == clmm_accounts.TickState()
    for tick in (0, -3_660, -59):
        with pytest.raises(LayoutError, match=f"tick {tick} is not in tick array -3600"):
            array.tick(tick, 60)


def test_crossing_a_tick_inverts_its_outside_growth() -> None:
    reward = blank(clmm_accounts.RewardInfo, token_mint=key(8), reward_growth_global_x64=50)
    state = state_of(POOLS["constructed_sol_usdc_25bps"], reward_1=reward)
    tick = clmm_accounts.TickState(
        tick=-60, fee_growth_outside_0_x64=30, fee_growth_outside_1_x64=7, reward_growth_outside_1_x64=20
    )
    array = clmm_accounts.TickArrayState(key(77), -3_600).with_tick(tick, 60)
    growths = {"fee_growth_0": 100, "fee_growth_1": 5, "epoch": 900}

    after = crossed(array, -60, state, **growths)

    assert after.tick(-60, 60) == replace(
        tick, fee_growth_outside_0_x64=70, fee_growth_outside_1_x64=U128_MAX - 1, reward_growth_outside_1_x64=30
    )
    assert after.recent_epoch == 900
    assert replace(crossed(after, -60, state, **growths), recent_epoch=0) == array


def observed(**fields: Any) -> clmm_observation.ObservationState:
    return blank(clmm_observation.ObservationState, pool=key(77), **fields)


def test_the_first_swap_starts_the_price_history() -> None:
    first = observed().updated(1_000, -5)
    assert (first.initialized, first.index, first.observation(0)) == (1, 0, clmm_observation.Observation(1_000, 0))


def test_the_price_history_sums_ticks_over_seconds_every_quarter_minute() -> None:
    first = observed().updated(1_000, -5)
    assert first.updated(1_014, -5) == first
    second = first.updated(1_015, -5)
    assert (second.index, second.observation(1)) == (1, clmm_observation.Observation(1_015, -75))
    assert second.updated(1_000, 9) == second
    assert second.updated(1_035, 3).observation(2) == clmm_observation.Observation(1_035, -15)


def test_the_price_history_is_a_ring_of_wrapping_sums() -> None:
    last = clmm_observation.Observation(1_000, (1 << 63) - 1)
    ring = bytes(99 * clmm_observation.OBSERVATION_SIZE) + last.encode()
    again = observed(initialized=1, index=99, observations=ring).updated(1_100, 1)
    assert (again.index, again.observation(0)) == (0, clmm_observation.Observation(1_100, -(1 << 63) + 99))


def test_a_swap_has_the_programs_layout() -> None:
    order = clmm_instructions.SwapV2(5, 4, sqrt_price_at_tick(0), is_base_input=False)
    assert hashlib.sha256(b"global:swap_v2").digest()[:8] == clmm_instructions.SwapV2.DISCRIMINATOR
    assert order.encode().hex() == (
        "2b04ed0b1ac91e62" + "05" + "00" * 7 + "04" + "00" * 7 + "00" * 8 + "01" + "00" * 7 + "00"
    )
    assert clmm_handler.decode_instruction(order.encode()) == order
    assert clmm_instructions.SwapV2(5, 4).encode()[24:] == bytes(16) + b"\x01"
    with pytest.raises(LayoutError, match="not a swap of Raydium CLMM"):
        clmm_handler.decode_instruction(bytes(41))


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_a_swap_has_the_programs_accounts(zero_for_one: bool) -> None:
    state = state_of(POOLS["constructed_sol_usdc_25bps"])
    pool, payer, source, destination = key(21), key(22), key(23), key(24)
    order, starts = clmm_instructions.SwapV2(5, 4), [-25_200, -28_800]

    def instruction(**options: Any) -> list[tuple[Pubkey, str]]:
        built = clmm_instructions.swap(
            order, pool, state, payer, source, destination, zero_for_one=zero_for_one, tick_arrays=starts, **options
        )
        assert (built.program_id, bytes(built.data)) == (options.get("program_id", clmm.PROGRAM_ID), order.encode())
        return uses(built)

    named = instruction(names_bitmap_extension=False)
    paid, bought = ((3, 1), (4, 2)) if zero_for_one else ((4, 2), (3, 1))
    assert named[clmm_instructions.PAYER] == (payer, "s")
    assert named[clmm_instructions.AMM_CONFIG] == (state.amm_config, "r")
    assert named[clmm_instructions.POOL_STATE] == (pool, "w")
    assert named[clmm_instructions.INPUT_TOKEN_ACCOUNT] == (source, "w")
    assert named[clmm_instructions.OUTPUT_TOKEN_ACCOUNT] == (destination, "w")
    assert named[clmm_instructions.INPUT_VAULT] == (key(paid[0]), "w")
    assert named[clmm_instructions.OUTPUT_VAULT] == (key(bought[0]), "w")
    assert named[clmm_instructions.OBSERVATION_STATE] == (state.observation, "w")
    assert named[clmm_instructions.TOKEN_PROGRAM] == (token.PROGRAM_ID, "r")
    assert named[clmm_instructions.TOKEN_PROGRAM_2022] == (token.TOKEN_2022_PROGRAM_ID, "r")
    assert named[clmm_instructions.MEMO_PROGRAM] == (memo.PROGRAM_ID, "r")
    assert named[clmm_instructions.INPUT_VAULT_MINT] == (key(paid[1]), "r")
    assert named[clmm_instructions.OUTPUT_VAULT_MINT] == (key(bought[1]), "r")
    assert named[clmm_instructions.TICK_ARRAYS :] == [
        (clmm_addresses.tick_array_address(pool, start), "w") for start in starts
    ]

    devnet = clmm.DEVNET_PROGRAM_ID
    extended = instruction(names_bitmap_extension=True, program_id=devnet)
    assert extended[: clmm_instructions.TICK_ARRAYS] == named[: clmm_instructions.TICK_ARRAYS]
    assert extended[clmm_instructions.TICK_ARRAYS :] == [
        (clmm_addresses.bitmap_extension_address(pool, devnet), "w"),
        *((clmm_addresses.tick_array_address(pool, start, devnet), "w") for start in starts),
    ]
