"""Amounts are exact: the number read, stored and written is the same, or an error gives the reason."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import (
    BPS,
    U64_MAX,
    format_amount,
    format_price,
    max_amount_in,
    min_amount_out,
    parse_amount,
    parse_amount_word,
    parse_slippage_bps,
    part_of,
)


@given(st.integers(1, U64_MAX), st.integers(0, 18))
def test_an_amount_is_read_back_as_written(amount: int, decimals: int) -> None:
    assert parse_amount(format_amount(amount, decimals), decimals) == amount


@pytest.mark.parametrize(
    ("text", "decimals", "amount"),
    [
        ("1.5", 9, 1_500_000_000),
        (".5", 6, 500_000),
        ("+2", 0, 2),
        ("18446744073709551615", 0, U64_MAX),
        ("1.50", 1, 15),
    ],
)
def test_plain_decimals_are_read(text: str, decimals: int, amount: int) -> None:
    assert parse_amount(text, decimals) == amount


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-1", ErrorCode.AMOUNT_NOT_POSITIVE),
        ("0", ErrorCode.AMOUNT_NOT_POSITIVE),
        ("0.000", ErrorCode.AMOUNT_NOT_POSITIVE),
        ("NaN", ErrorCode.AMOUNT_INVALID),
        ("Infinity", ErrorCode.AMOUNT_INVALID),
        ("1e9", ErrorCode.AMOUNT_INVALID),
        ("1,5", ErrorCode.AMOUNT_INVALID),
        ("1_000", ErrorCode.AMOUNT_INVALID),
        ("0x10", ErrorCode.AMOUNT_INVALID),
        ("", ErrorCode.AMOUNT_INVALID),
        (" 1", ErrorCode.AMOUNT_INVALID),
        ("1\n", ErrorCode.AMOUNT_INVALID),
        ("\u0661", ErrorCode.AMOUNT_INVALID),  # an Arabic digit one, which Python's \d matches
        ("9" * 41, ErrorCode.AMOUNT_INVALID),
        ("0.0000001", ErrorCode.AMOUNT_TOO_PRECISE),
        ("18446744073709.551616", ErrorCode.AMOUNT_TOO_LARGE),
    ],
)
def test_an_invalid_amount_is_refused_with_the_reason(text: str, code: ErrorCode) -> None:
    with pytest.raises(OrderdError) as caught:
        parse_amount(text, 6)
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("amount", "decimals", "text"),
    [(0, 9, "0"), (1, 9, "0.000000001"), (-1_500_000, 6, "-1.5"), (1_000, 0, "1000"), (10_000, 2, "100")],
)
def test_amounts_are_written_short_and_exact(amount: int, decimals: int, text: str) -> None:
    assert format_amount(amount, decimals) == text


def test_a_price_is_the_output_per_unit_of_input() -> None:
    assert format_price(1_500_000_000, 9, 152_490_000, 6) == "101.66"
    assert format_price(1_000_000, 6, 3, 9) == "0.000000003"
    assert format_price(1, 0, 100_000_000_000, 0) == "100000000000"


@pytest.mark.parametrize(("percent", "bps"), [("0.5", 50), ("0", 0), ("100", 10_000), ("0.01", 1), ("1.00", 100)])
def test_slippage_is_percent_outside_and_basis_points_inside(percent: str, bps: int) -> None:
    assert parse_slippage_bps(percent) == bps


@pytest.mark.parametrize("percent", ["-0.01", "100.01", "0.001", "NaN", "", "half", "1e1"])
def test_slippage_outside_its_range_is_refused(percent: str) -> None:
    with pytest.raises(OrderdError) as caught:
        parse_slippage_bps(percent)
    assert caught.value.code is ErrorCode.SLIPPAGE_OUT_OF_RANGE


@given(st.integers(0, U64_MAX), st.integers(0, BPS))
def test_the_minimum_is_never_below_the_slippage(amount: int, slippage_bps: int) -> None:
    least = min_amount_out(amount, slippage_bps)
    assert least <= amount
    assert least * BPS >= amount * (BPS - slippage_bps)
    assert (least - 1) * BPS < amount * (BPS - slippage_bps) or least == 0


@given(st.integers(1, U64_MAX), st.integers(0, BPS))
def test_the_maximum_is_never_above_the_slippage_or_a_u64(amount: int, slippage_bps: int) -> None:
    most = max_amount_in(amount, slippage_bps)
    assert amount <= most <= U64_MAX
    assert most * BPS <= amount * (BPS + slippage_bps)
    assert (most + 1) * BPS > amount * (BPS + slippage_bps) or most == U64_MAX


@pytest.mark.parametrize(
    ("text", "word", "part"),
    [
        ("max", "max", Fraction(1)),
        ("MAX", "max", Fraction(1)),
        ("50%", "50%", Fraction(1, 2)),
        ("050.0%", "50%", Fraction(1, 2)),
        ("0.01%", "0.01%", Fraction(1, 10_000)),
        ("100%", "100%", Fraction(1)),
    ],
)
def test_a_word_is_a_fraction_of_the_balance(text: str, word: str, part: Fraction) -> None:
    assert parse_amount_word(text) == word
    assert part_of(word) == part


@pytest.mark.parametrize("text", ["1.5", "maximum", "all", "", "5e1"])
def test_other_texts_are_not_words(text: str) -> None:
    assert parse_amount_word(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("100.01%", ErrorCode.AMOUNT_INVALID),
        ("half%", ErrorCode.AMOUNT_INVALID),
        ("%", ErrorCode.AMOUNT_INVALID),
        ("0%", ErrorCode.AMOUNT_NOT_POSITIVE),
        ("-5%", ErrorCode.AMOUNT_NOT_POSITIVE),
    ],
)
def test_a_fraction_is_above_zero_and_at_most_one(text: str, code: ErrorCode) -> None:
    with pytest.raises(OrderdError) as refused:
        parse_amount_word(text)
    assert refused.value.code is code
