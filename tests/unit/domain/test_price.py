"""A price has the same meaning in both directions of its pair, and is compared exactly."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.price import PairPrice, canonical, parse_price
from orderd.domain.tokens import Token
from orderd.domain.well_known import registry_of

SOL, USDC = registry_of("simnet").pair("SOL", "USDC")
CHILLGUY, _ = registry_of("simnet").pair("CHILLGUY", "USDC")
ONE, OTHER = Token("ONE", "1" * 43, 2), Token("TWO", "2" * 43, 9)
AMOUNTS = st.integers(1, 2**64 - 1)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("105", "105"),
        ("0105.50", "105.5"),
        ("+105", "105"),
        (".5", "0.5"),
        ("100", "100"),
        ("1000000", "1000000"),
        ("0.0000000000000000000000000000000000001", "0.0000000000000000000000000000000000001"),
        ("1" * 40, "1" * 40),
    ],
)
def test_a_price_is_kept_as_its_shortest_decimal(text: str, kept: str) -> None:
    assert parse_price(text) == kept
    assert parse_price(kept) == kept


@pytest.mark.parametrize("text", ["", "--1", "1e5", "1,5", "١", "nan", "inf", "1 ", "105\n", ".", "1" * 41])  # noqa: RUF001  (a non-ASCII digit on purpose)
def test_a_price_that_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(OrderdError, match="is not a plain decimal number") as refused:
        parse_price(text)
    assert refused.value.code is ErrorCode.PRICE_INVALID


@pytest.mark.parametrize("text", ["0", "0.000", "+0", "-1"])
def test_a_price_of_zero_or_less_is_refused(text: str) -> None:
    with pytest.raises(OrderdError, match="is not above zero") as refused:
        parse_price(text)
    assert refused.value.code is ErrorCode.PRICE_INVALID


@given(st.decimals(min_value=Decimal("1e-30"), max_value=Decimal("1e9"), allow_nan=False))
def test_the_shortest_decimal_has_the_same_value(price: Decimal) -> None:
    kept = canonical(price)
    assert Decimal(kept) == price
    assert not ("." in kept and kept.endswith(("0", ".")))


@pytest.mark.parametrize(
    ("one", "other", "unit"),
    [
        (SOL, USDC, "USDC per SOL"),
        (CHILLGUY, USDC, "USDC per CHILLGUY"),
        (CHILLGUY, SOL, "SOL per CHILLGUY"),
        (ONE, OTHER, "TWO per ONE"),
    ],
)
def test_the_quote_token_is_usdc_then_sol_in_either_direction(one: Token, other: Token, unit: str) -> None:
    assert PairPrice(one, other).unit == unit
    assert PairPrice(other, one).unit == unit


def test_a_sale_multiplies_by_the_price_and_a_purchase_divides_by_it() -> None:
    assert PairPrice(SOL, USDC).amount_out(1_500_000_000, Fraction(105)) == 157_500_000
    assert PairPrice(USDC, SOL).amount_out(157_500_000, Fraction(105)) == 1_500_000_000


def test_a_price_is_reported_with_its_unit() -> None:
    assert PairPrice(SOL, USDC).price_text(1_500_000_000, 157_500_000) == "105 USDC per SOL"
    assert PairPrice(USDC, SOL).price_text(157_500_000, 1_500_000_000) == "105 USDC per SOL"


@pytest.mark.parametrize("pair", [PairPrice(SOL, USDC), PairPrice(USDC, SOL), PairPrice(ONE, OTHER)])
@given(amount_in=AMOUNTS, amount_out=AMOUNTS)
def test_price_and_amount_are_inverse_without_rounding(pair: PairPrice, amount_in: int, amount_out: int) -> None:
    assert pair.amount_out(amount_in, pair.price(amount_in, amount_out)) == amount_out


@pytest.mark.parametrize("pair", [PairPrice(SOL, USDC), PairPrice(USDC, SOL)])
@given(amount_in=AMOUNTS, prices=st.tuples(st.fractions(min_value=1 / 10**9), st.fractions(min_value=1 / 10**9)))
def test_a_higher_price_is_better_for_a_sale_and_worse_for_a_purchase(
    pair: PairPrice, amount_in: int, prices: tuple[Fraction, Fraction]
) -> None:
    lower, higher = sorted(prices)
    of_lower, of_higher = (pair.amount_out(amount_in, price) for price in (lower, higher))
    assert of_lower <= of_higher if pair.quote == pair.token_out else of_higher <= of_lower
