"""Prices are read in one direction per pair, also where only symbols are known."""

from fractions import Fraction

import pytest

from orderd.domain.price import PairPrice
from orderd.domain.price_by_symbol import price_in, quote_of
from orderd.domain.tokens import Token
from orderd.domain.well_known import EVERYWHERE

SOL, USDC = (next(each for each in EVERYWHERE if each.symbol == symbol) for symbol in ("SOL", "USDC"))
BONK = Token("BONK", "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", 5)


@pytest.mark.parametrize(
    ("sold", "bought", "quote"),
    [(SOL, USDC, "USDC"), (USDC, SOL, "USDC"), (BONK, SOL, "SOL"), (SOL, BONK, "SOL"), (USDC, BONK, "USDC")],
)
def test_symbols_decide_as_mints_do(sold: Token, bought: Token, quote: str) -> None:
    assert quote_of(sold.symbol, bought.symbol) == quote == PairPrice(sold, bought).quote.symbol


def test_other_tokens_are_decided_by_their_mints_only() -> None:
    assert quote_of("BONK", "WIF") is None


def test_a_purchase_and_a_sale_have_the_same_price() -> None:
    assert price_in("USDC", "SOL", "USDC", Fraction("101.25")) == ("101.25", "USDC per SOL")
    assert price_in("USDC", "USDC", "SOL", 1 / Fraction("101.25")) == ("101.25", "USDC per SOL")
