"""Meteora DLMM: bit for bit what the program answers, and the laws no swap may break."""

from typing import Any

import pytest

from orderd.amm.dlmm import (
    DlmmBin,
    DlmmBins,
    DlmmParameters,
    DlmmPool,
    DlmmSwap,
    DlmmVolatility,
    price_from_bin_id,
    swap_exact_in,
    swap_exact_out,
)
from orderd.amm.swap import SwapError
from tests.unit.amm.vectors import cases, load

DOCUMENT = load("meteora_dlmm.json")
CASES = cases(DOCUMENT)
PRICES = load("meteora_dlmm_price.json")["cases"]


def bin_of(account: dict[str, Any]) -> DlmmBin:
    return DlmmBin(**account | {"limit_order_ask_side": bool(account.get("limit_order_ask_side"))})


def pool_of(account: dict[str, Any]) -> DlmmPool:
    parameters = {name: account["parameters"][name] for name in DlmmParameters.__slots__}
    return DlmmPool(
        parameters=DlmmParameters(**parameters),
        volatility=DlmmVolatility(**account["v_parameters"]),
        active_id=account["active_id"],
        bin_step=account["bin_step"],
        protocol_fee_x=account["protocol_fee"]["amount_x"],
        protocol_fee_y=account["protocol_fee"]["amount_y"],
        has_reward=account["has_reward"],
        bins=DlmmBins(bin_of(each) for each in account["bins"]),
    )


def swap_of(case: dict[str, Any]) -> DlmmSwap:
    given = case["input"]
    swap = swap_exact_in if given["swap_mode"] == "exact_in" else swap_exact_out
    pool = pool_of(DOCUMENT["pools"][case["pool"]])
    return swap(pool, given["amount"], swap_for_y=given["swap_for_y"], now=given["current_timestamp"])


def test_no_case_is_lost() -> None:
    assert (len(DOCUMENT["cases"]), len(CASES), len(PRICES)) == (166, 166, 231)


@pytest.mark.parametrize("case", PRICES, ids=lambda case: f"step {case['bin_step']} id {case['bin_id']}")
def test_a_bins_price_is_the_programs(case: dict[str, Any]) -> None:
    assert price_from_bin_id(case["bin_step"], case["bin_id"]) == case["price_q64"]


@pytest.mark.parametrize("case", [case for case in CASES if "error" in case.values[0]["expected"]])
def test_refuses_what_the_program_refuses(case: dict[str, Any]) -> None:
    with pytest.raises(SwapError) as refused:
        swap_of(case)
    assert refused.value.kind == case["expected"]["error"]


@pytest.mark.parametrize("case", [case for case in CASES if "error" not in case.values[0]["expected"]])
def test_gives_what_the_program_gives(case: dict[str, Any]) -> None:
    expected, end = case["expected"], case["expected"]["end_state"]
    before = pool_of(DOCUMENT["pools"][case["pool"]])

    swap = swap_of(case)

    for name in expected.keys() - {"end_state"}:
        assert getattr(swap, name) == expected[name], name
    assert swap.pool.active_id == end["active_id"]
    assert swap.pool.volatility == DlmmVolatility(**end["v_parameters"])
    assert (swap.pool.protocol_fee_x, swap.pool.protocol_fee_y) == tuple(end["protocol_fee"].values())
    assert {each.bin_id for each in swap.changed_bins} == {each["bin_id"] for each in end["changed_bins"]}
    for changed in end["changed_bins"]:
        for name, value in changed.items():
            assert getattr(swap.pool.bins[changed["bin_id"]], name) == value, (changed["bin_id"], name)
    assert swap.pool.bins == {**before.bins, **{each.bin_id: each for each in swap.changed_bins}}
