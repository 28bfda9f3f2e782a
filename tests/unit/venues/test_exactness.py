"""What a venue quotes from the bytes on chain is what the program pays, in every reference vector, to the base unit."""

from decimal import Decimal
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import QuoteRequest
from orderd.venues.meteora import Meteora
from orderd.venues.raydium import Raydium
from tests.unit.amm.vectors import cases, load
from tests.unit.venues.chain import Chain, put_cpmm, put_dlmm

MINT_A = Pubkey.from_bytes(b"\x0a" * 32)
MINT_B = Pubkey.from_bytes(b"\x0b" * 32)
POOL = Pubkey.from_bytes(b"\x0c" * 32)

CPMM = load("raydium_cpmm.json")
DLMM = load("meteora_dlmm.json")
REFUSALS = {
    "zero_input": ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    "zero_output": ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    "insufficient_liquidity": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    "amount_in_exceeds_u64": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    "vault_balance_overflow": ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
}


def exact_in(document: dict[str, Any]) -> list[Any]:
    return [case for case in cases(document) if case.values[0]["input"]["swap_mode"] == "exact_in"]


@pytest.mark.parametrize("case", exact_in(CPMM))
def test_raydium_quotes_what_the_program_pays(case: dict[str, Any]) -> None:
    chain = Chain()
    put_cpmm(chain, POOL, MINT_A, MINT_B, CPMM["pools"][case["pool"]])
    forward = case["input"]["direction"] == "zero_for_one"
    _check(Raydium(chain.rpc(), unix_time=lambda: 1.0), case, forward)


@pytest.mark.parametrize("case", exact_in(DLMM))
def test_meteora_quotes_what_the_program_pays(case: dict[str, Any]) -> None:
    chain = Chain()
    put_dlmm(chain, POOL, MINT_A, MINT_B, DLMM["pools"][case["pool"]])
    now = float(case["input"]["current_timestamp"])
    _check(Meteora(chain.rpc(), unix_time=lambda: now), case, case["input"]["swap_for_y"])


def _check(venue: Raydium | Meteora, case: dict[str, Any], forward: bool) -> None:
    mint_in, mint_out = (MINT_A, MINT_B) if forward else (MINT_B, MINT_A)
    request = QuoteRequest(str(mint_in), str(mint_out), case["input"]["amount"])
    expected = case["expected"]
    if "error" in expected:
        with pytest.raises(OrderdError) as refusal:
            venue.quote(request)
        assert refusal.value.code == REFUSALS[expected["error"]]
        return
    quote = venue.quote(request)
    assert quote.amount_out == expected["amount_out"]
    assert Decimal(0) <= quote.price_impact_bps <= 10_000
    if "trade_fee" in expected:
        on_input = expected["creator_fee"] if expected["creator_fee_token"] == "input" else 0
        assert quote.fee >= expected["trade_fee"] + on_input
    else:
        assert quote.fee == expected["fee"]
        assert quote.fee_mint == (request.mint_in if expected["fee_on_input"] else request.mint_out)
