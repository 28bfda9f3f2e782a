"""Tokens are found by symbol in any case and by exact mint; what is not found is told with the nearest name."""

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.tokens import BUILTIN_TOKENS, USDC_MINT, WSOL_MINT, TokenRegistry

REGISTRY = TokenRegistry()


def test_by_symbol_or_mint() -> None:
    assert REGISTRY.resolve("sol").mint == WSOL_MINT
    assert REGISTRY.resolve(USDC_MINT).symbol == "USDC"
    assert tuple(REGISTRY) == BUILTIN_TOKENS


def test_a_mint_is_found_or_not() -> None:
    assert REGISTRY.find(USDC_MINT) is REGISTRY.resolve("USDC")
    assert REGISTRY.find("USDC") is None, "a symbol is no mint"


def test_sol_is_native_and_usdc_is_not() -> None:
    sold, bought = REGISTRY.pair("SOL", "USDC")
    assert (sold.is_native, bought.is_native) == (True, False)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("USDCC", "did you mean USDC?"),
        ("qqqqqqqq", "there is no token 'qqqqqqqq'"),
        ("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1w", "the mint EPjF"),
    ],
)
def test_an_unknown_token_is_told(name: str, told: str) -> None:
    with pytest.raises(OrderdError, match="TOKEN_UNKNOWN") as caught:
        REGISTRY.resolve(name)
    assert told in caught.value.detail


def test_a_token_is_not_traded_for_itself() -> None:
    with pytest.raises(OrderdError) as caught:
        REGISTRY.pair("SOL", WSOL_MINT)
    assert caught.value.code is ErrorCode.TOKEN_SAME
