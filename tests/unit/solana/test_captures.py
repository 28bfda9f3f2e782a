"""Real accounts, read with our layouts: a swap pays exactly what the real one paid."""

import base64
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from orderd.amm.swap import SwapError
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2
from orderd.pools.meteora_dlmm.maths import pool as dlmm
from orderd.pools.meteora_dlmm.maths.side import DlmmSide
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_clmm.maths.side import ClmmSide
from tests.unit.solana.captures import (
    DAMM_V2,
    DAMM_V2_REFUSALS,
    DLMM,
    MAINNET_SWAPS,
    REFUSALS,
    clmm_pool,
    damm_v2_pool,
    dlmm_cases,
    refusal,
)


def swap_of(file: str, case: dict[str, Any]) -> dlmm.DlmmSwap:
    swap = dlmm.swap_exact_in if case["mode"] == "exact_in" else dlmm.swap_exact_out
    return swap(DLMM[file].pool, case["amount"], swap_for_y=case["swap_for_y"], now=DLMM[file].unix_time)


def test_every_captured_case_is_covered() -> None:
    kinds = Counter((case["mode"], case["swap_for_y"]) for capture in DLMM.values() for case in capture.cases)
    assert kinds == {
        ("exact_in", True): 61,
        ("exact_in", False): 43,
        ("exact_out", True): 25,
        ("exact_out", False): 11,
    }
    refusals = Counter(refusal(case["expected"]) for capture in DLMM.values() for case in capture.cases)
    assert refusals == {None: 117, "Custom(3005)": 13, "Custom(6085)": 2, "ProgramFailedToComplete": 8}
    assert len(MAINNET_SWAPS["swaps"]) == 12


def test_limit_orders_exist_in_arrays_of_an_older_version() -> None:
    for capture in DLMM.values():
        assert {array.version for array in capture.arrays} == {2}
        assert any(each.open_order_amount for each in capture.pool.bins.values())


@pytest.mark.parametrize(("file", "case"), dlmm_cases())
def test_meteora_dlmm_pays_what_the_real_program_paid(file: str, case: dict[str, Any]) -> None:
    expected, refused = case["expected"], refusal(case["expected"])
    if refused is not None:
        with pytest.raises(SwapError) as error:
            swap_of(file, case)
        assert error.value.kind == REFUSALS[refused]
        return
    swap = swap_of(file, case)
    assert (swap.amount_in, swap.amount_out) == (expected["amount_in"], expected["amount_out"])


@pytest.mark.parametrize("file", DLMM)
def test_real_accounts_survive_a_round_trip(file: str) -> None:
    capture = DLMM[file]
    held = {data for _, data in capture.accounts.values()}
    assert {capture.state.encode(), *(array.encode() for array in capture.arrays)} <= held


@pytest.mark.parametrize("version", range(4))
def test_the_version_of_a_bin_array_changes_no_amount(version: int) -> None:
    for capture in DLMM.values():
        arrays = [replace(array, version=version) for array in capture.arrays]
        assert capture.state.to_pool(arrays) == capture.pool


@pytest.mark.parametrize("file", DLMM)
def test_the_curve_of_a_real_pool_ends_with_its_last_order(file: str) -> None:
    """The curve ends where the pool is empty: the quote for the whole curve drains every layer."""
    capture = DLMM[file]
    for swap_for_y in (True, False):
        side = DlmmSide(capture.pool, swap_for_y=swap_for_y, now=capture.unix_time)
        walked = [
            each
            for each in capture.pool.bins.walk(capture.state.active_id, downwards=swap_for_y)
            if each.available(swap_for_y=swap_for_y, limit_orders=True)
        ]
        segments = list(side.segments())
        assert len(segments) == len(walked)
        everything = sum(each.available(swap_for_y=swap_for_y, limit_orders=True) for each in walked)
        quote = side.quote(sum(segment.amount_in for segment in segments))
        assert everything - 3 * len(walked) <= quote.gross_out <= everything


@pytest.mark.parametrize("swap", MAINNET_SWAPS["swaps"], ids=lambda swap: f"slot {swap['slot']}")
def test_raydium_clmm_pays_what_mainnet_paid(swap: dict[str, Any]) -> None:
    pool, zero_for_one, expected = clmm_pool(swap), swap["zero_for_one"], swap["expected"]
    assert swap["mode"] == "exact_in"

    made = clmm.swap_exact_in(pool, swap["amount"], zero_for_one=zero_for_one, now=0)

    assert (made.amount_in, made.amount_out) == (expected["amount_in"], expected["amount_out"])
    assert ClmmSide(pool, zero_for_one=zero_for_one, now=0).quote(swap["amount"]).amount_out == expected["amount_out"]
    exact_out = clmm.swap_exact_out(pool, expected["amount_out"], zero_for_one=zero_for_one, now=0)
    assert exact_out.amount_out == expected["amount_out"]
    assert exact_out.amount_in <= expected["amount_in"]


@pytest.mark.parametrize(
    ("pool", "case"),
    [
        pytest.param(pool, case, id=f"{pool['pool']}-{number}")
        for pool in DAMM_V2
        for number, case in enumerate(pool["cases"])
    ],
)
def test_meteora_damm_v2_pays_what_the_real_program_paid(pool: dict[str, Any], case: dict[str, Any]) -> None:
    swap = damm_v2.swap_exact_out if case["mode"] == "exact_out" else damm_v2.swap_exact_in
    state, now, expected = damm_v2_pool(pool), pool["unix_timestamp"], case["expected"]
    point = state.point(slot=pool["slot"], unix_time=now)
    if "error" in expected:
        with pytest.raises(SwapError) as error:
            swap(state.to_pool(), case["amount"], a_to_b=case["a_to_b"], now=now, point=point)
        assert error.value.kind == DAMM_V2_REFUSALS[expected["error"]]
        return
    found = swap(state.to_pool(), case["amount"], a_to_b=case["a_to_b"], now=now, point=point)
    assert (found.amount_in, found.amount_out) == (expected["amount_in"], expected["amount_out"])


def test_every_captured_case_of_damm_v2_is_covered() -> None:
    cases = [case for pool in DAMM_V2 for case in pool["cases"]]
    assert Counter("error" in case["expected"] for case in cases) == {False: 29, True: 3}
    assert all(damm_v2_pool(pool).encode() == base64.b64decode(pool["account"]) for pool in DAMM_V2)
