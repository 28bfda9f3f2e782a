"""Whether a mint still has the decimals by which an order was understood."""

from dataclasses import replace
from typing import cast

import pytest
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.terms import OrderTerms
from orderd.domain.tokens import Token
from orderd.domain.well_known import SOL, USDC
from orderd.engine.execution.mint_decimals import MintDecimals
from orderd.solana.programs.token import Extension
from orderd.solana.rpc import RpcClient
from tests.samples.mints import NOBODY, SOMEBODY, MintChain, extended, plain, spl

MINT = Pubkey([9] * 32)
NEW = Token("NEW", str(MINT), 6)
TERMS = OrderTerms(token_in=SOL, token_out=NEW, amount_in=10**9, slippage_bps=50)
BY_SOMEBODY = (Extension.CLOSE_AUTHORITY, bytes(SOMEBODY))
BY_NOBODY = (Extension.CLOSE_AUTHORITY, bytes(NOBODY))


@pytest.fixture
def chain() -> MintChain:
    return MintChain()


@pytest.fixture
def decimals(chain: MintChain) -> MintDecimals:
    return MintDecimals(cast("RpcClient", chain))


def refusal(decimals: MintDecimals, terms: OrderTerms = TERMS) -> ErrorCode | None:
    try:
        decimals.check(terms)
    except OrderdError as error:
        return error.code
    return None


@pytest.mark.parametrize("sold", [False, True], ids=["bought", "sold"])
def test_a_mint_that_was_made_again_with_other_decimals_is_not_traded(
    chain: MintChain, decimals: MintDecimals, sold: bool
) -> None:
    """A thousandth of what the limit price of the order means would be paid for the same base units."""
    terms = replace(TERMS, token_in=NEW, token_out=SOL) if sold else TERMS
    chain.has(MINT, extended(plain(9)))
    assert refusal(decimals, terms) is ErrorCode.TOKEN_REMADE
    assert refusal(decimals, terms) is ErrorCode.TOKEN_REMADE, "also of a mint that lasts from now on"


def test_a_mint_that_can_be_closed_is_read_each_time(chain: MintChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderd.engine.execution.mint_decimals._READ_SECONDS", 0.0)
    decimals = MintDecimals(cast("RpcClient", chain))
    chain.has(MINT, extended(plain(6), BY_SOMEBODY))
    assert refusal(decimals) is None
    chain.has(MINT, extended(plain(9)))
    assert refusal(decimals) is ErrorCode.TOKEN_REMADE


@pytest.mark.parametrize("mint", [spl(6), extended(plain(6)), extended(plain(6), BY_NOBODY)])
def test_one_that_cannot_is_read_once(chain: MintChain, monkeypatch: pytest.MonkeyPatch, mint: object) -> None:
    monkeypatch.setattr("orderd.engine.execution.mint_decimals._READ_SECONDS", 0.0)
    decimals = MintDecimals(cast("RpcClient", chain))
    chain.has(MINT, mint)  # type: ignore[arg-type]
    assert (refusal(decimals), refusal(decimals)) == (None, None)
    assert chain.asked == [[MINT]]


def test_built_in_tokens_are_not_queried(chain: MintChain, decimals: MintDecimals) -> None:
    chain.away = True
    assert refusal(decimals, replace(TERMS, token_out=USDC)) is None


def test_without_an_answer_the_order_waits_and_without_a_mint_it_ends(chain: MintChain, decimals: MintDecimals) -> None:
    assert refusal(decimals) is ErrorCode.TOKEN_NO_MINT
    chain.away = True
    with pytest.raises(OrderdError) as away:
        MintDecimals(cast("RpcClient", chain)).check(TERMS)
    assert away.value.is_awaited
