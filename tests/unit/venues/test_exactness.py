"""Quotes from on-chain bytes equal what the program pays or takes in every vector, to the base unit."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import QuoteRequest
from orderd.pools.meteora_damm_v2.venue import MeteoraDammV2
from orderd.pools.meteora_dlmm.simnet.genesis import internal_bitmap
from orderd.pools.meteora_dlmm.venue import MeteoraDlmm
from orderd.pools.raydium_amm_v4.venue import RaydiumAmmV4
from orderd.pools.raydium_clmm.tick_arrays import array_start
from orderd.pools.raydium_clmm.venue import RaydiumClmm
from orderd.pools.raydium_cpmm.venue import RaydiumCpmm
from orderd.venues.array_venue import ARRAYS_PER_DIRECTION
from orderd.venues.base import Venue
from tests.unit.amm.vectors import cases, load
from tests.unit.solana.captures import DLMM as CAPTURES
from tests.unit.solana.captures import dlmm_cases
from tests.unit.venues.asking import best_quote
from tests.unit.venues.chain import Chain, put_amm_v4, put_clmm, put_cpmm, put_damm_v2, put_dlmm

MINT_A = Pubkey.from_bytes(b"\x0a" * 32)
MINT_B = Pubkey.from_bytes(b"\x0b" * 32)
POOL = Pubkey.from_bytes(b"\x0c" * 32)

CPMM = load("raydium_cpmm.json")
AMM_V4 = load("raydium_amm_v4.json")
CLMM = load("raydium_clmm.json")
DLMM = load("meteora_dlmm.json")
DAMM_V2 = load("meteora_damm_v2.json")
REFUSALS = {
    "zero_input": ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    "zero_output": ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    "insufficient_liquidity": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    "amount_in_exceeds_u64": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    "vault_balance_overflow": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    "math_overflow": ErrorCode.POOL_UNSUPPORTED,
    "unsupported_fee_mode": ErrorCode.POOL_UNSUPPORTED,
}


MODES = ("exact_in", "exact_out")


def of_both_modes(document: dict[str, Any]) -> list[Any]:
    found = [case for case in cases(document) if case.values[0]["input"]["swap_mode"] in MODES]
    for mode in MODES:
        assert sum(case.values[0]["input"]["swap_mode"] == mode for case in found) > 10
    return found


def within_three_arrays(document: dict[str, Any]) -> list[Any]:
    """Cases without a price limit that stay within the tick arrays a swap may name."""
    found = []
    for case in of_both_modes(document):
        given = case.values[0]
        spacing = document["pools"][given["pool"]]["amm_config"]["tick_spacing"]
        starts = {array_start(tick["tick"], spacing) for tick in document["pools"][given["pool"]]["ticks"]}
        if not given["input"]["sqrt_price_limit_x64"] and len(starts) <= ARRAYS_PER_DIRECTION:
            found.append(case)
    assert len(found) > 5
    return found


@pytest.mark.parametrize("case", of_both_modes(CPMM))
def test_raydium_cpmm_quotes_match_the_program(case: dict[str, Any]) -> None:
    chain = Chain()
    put_cpmm(chain, POOL, MINT_A, MINT_B, CPMM["pools"][case["pool"]])
    forward = case["input"]["direction"] == "zero_for_one"
    _check(RaydiumCpmm(chain.rpc(), unix_time=lambda: 1.0), case, forward)


@pytest.mark.parametrize("case", of_both_modes(DLMM))
def test_meteora_dlmm_quotes_match_the_program(case: dict[str, Any]) -> None:
    chain = Chain()
    put_dlmm(chain, POOL, MINT_A, MINT_B, DLMM["pools"][case["pool"]])
    now = float(case["input"]["current_timestamp"])
    _check(MeteoraDlmm(chain.rpc(), unix_time=lambda: now), case, case["input"]["swap_for_y"])


@pytest.mark.parametrize(("file", "case"), dlmm_cases())
def test_meteora_dlmm_quotes_match_the_program_on_real_accounts(file: str, case: dict[str, Any]) -> None:
    capture, chain = CAPTURES[file], Chain()
    state = capture.state
    chain.slot = capture.slot
    chain.accounts = dict(capture.accounts)
    # Only arrays around the price were captured.
    known = replace(state, bin_array_bitmap=internal_bitmap(array.index for array in capture.arrays))
    chain.put(capture.pair, MeteoraDlmm.program.ids["mainnet"], known)
    venue = MeteoraDlmm(chain.rpc(), unix_time=lambda: float(capture.unix_time))
    mints = (str(state.mint_x), str(state.mint_y))
    exact_out = case["mode"] == "exact_out"
    request = QuoteRequest(*(mints if case["swap_for_y"] else mints[::-1]), case["amount"], exact_out=exact_out)
    if "error" in case["expected"]:
        with pytest.raises(OrderdError) as refusal:
            best_quote(venue, request)
        assert refusal.value.code == ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY
        return
    quote, expected = best_quote(venue, request), case["expected"]
    assert (quote.amount_in, quote.amount_out) == (expected["amount_in"], expected["amount_out"])


@pytest.mark.parametrize("case", of_both_modes(AMM_V4))
def test_raydium_amm_v4_quotes_match_the_program(case: dict[str, Any]) -> None:
    chain = Chain()
    pool = AMM_V4["pools"][case["pool"]]
    if pool["open_orders_native_coin_total"] or pool["open_orders_native_pc_total"]:
        pytest.skip("of a release that counted what was on the order book")
    put_amm_v4(chain, POOL, MINT_A, MINT_B, pool)
    _check(RaydiumAmmV4(chain.rpc(), unix_time=lambda: 1.0), case, case["input"]["direction"] == "coin_to_pc")


@pytest.mark.parametrize("case", within_three_arrays(CLMM))
def test_raydium_clmm_quotes_match_the_program(case: dict[str, Any]) -> None:
    chain = Chain()
    put_clmm(chain, POOL, MINT_A, MINT_B, CLMM["pools"][case["pool"]])
    _check(RaydiumClmm(chain.rpc(), unix_time=lambda: 1.0), case, case["input"]["zero_for_one"])


@pytest.mark.parametrize("case", of_both_modes(DAMM_V2))
def test_meteora_damm_v2_quotes_match_the_program(case: dict[str, Any]) -> None:
    chain = Chain()
    given = case["input"]
    pool = DAMM_V2["pools"][case["pool"]]
    chain.slot = given["current_point"]  # for pools that count slots
    put_damm_v2(chain, POOL, MINT_A, MINT_B, pool)
    venue = MeteoraDammV2(chain.rpc(), unix_time=lambda: float(given["current_timestamp"]))
    _check(venue, case, given["direction"] == "a_to_b")


def _check(venue: Venue, case: dict[str, Any], forward: bool) -> None:
    mint_in, mint_out = (MINT_A, MINT_B) if forward else (MINT_B, MINT_A)
    exact_out = case["input"]["swap_mode"] == "exact_out"
    request = QuoteRequest(str(mint_in), str(mint_out), case["input"]["amount"], exact_out=exact_out)
    expected = case["expected"]
    if "error" in expected:
        with pytest.raises(OrderdError) as refusal:
            best_quote(venue, request)
        assert refusal.value.code == REFUSALS[expected["error"]]
        return
    quote = best_quote(venue, request)
    assert (quote.amount_in, quote.amount_out) == (expected["amount_in"], expected["amount_out"])
    assert quote.exact_out == exact_out
    assert Decimal(0) <= quote.price_impact_bps <= 10_000
    if "trade_fee" in expected:
        on_input = expected["creator_fee"] if expected["creator_fee_token"] == "input" else 0
        assert quote.fee >= expected["trade_fee"] + on_input
    else:
        assert quote.fee == expected["fee"]
        assert quote.fee_mint == (request.mint_in if expected.get("fee_on_input", True) else request.mint_out)
