"""Numbers keep all their digits, and anything else is refused."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import parse_amount
from orderd.gateway.dialects.exact import decimal_text, percent_of_bps, read_object


def amount_in(body: str) -> str:
    return decimal_text(read_object(body.encode())["amount"], "amount")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10", "10"),
        ("1.5", "1.5"),
        ("1.1", "1.1"),
        ("1e-9", "0.000000001"),
        ("1.5E+2", "150"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
        ('"1.5"', "1.5"),
        ('"1e-9"', "0.000000001"),
        ('"0.30000000000000004"', "0.30000000000000004"),
    ],
)
def test_numbers_and_strings_keep_every_digit(written: str, read: str) -> None:
    assert amount_in(f'{{"amount": {written}}}') == read


@given(st.integers(min_value=1, max_value=2**64 - 1), st.integers(min_value=0, max_value=9), st.booleans())
def test_every_amount_of_base_units_is_read_exactly(units: int, decimals: int, quoted: bool) -> None:
    written = f"{Decimal(units).scaleb(-decimals):f}"
    literal = f'"{written}"' if quoted else written
    assert parse_amount(amount_in(f'{{"amount": {literal}}}'), decimals) == units


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=0, max_value=10**9))
def test_the_exponent_form_is_the_same_number(value: Decimal) -> None:
    assert Decimal(amount_in(f'{{"amount": {value:E}}}')) == value


@pytest.mark.parametrize("written", ["true", "null", "[1]", '{"a": 1}'])
def test_values_that_are_neither_numbers_nor_strings_are_refused(written: str) -> None:
    with pytest.raises(OrderdError, match="amount: is neither a number nor a string") as caught:
        amount_in(f'{{"amount": {written}}}')
    assert caught.value.code is ErrorCode.REQUEST_INVALID


@pytest.mark.parametrize("body", ['{"amount": NaN}', '{"amount": Infinity}', '{"amount": -Infinity}'])
def test_nan_and_infinity_are_not_json(body: str) -> None:
    with pytest.raises(OrderdError, match="is not a number"):
        read_object(body.encode())


@pytest.mark.parametrize(
    "written",
    [
        '"NaN"',
        '"Infinity"',
        '"1_000"',
        '" 1.5"',
        '"1,5"',
        '"0x10"',
        '""',
        '"\u0661"',
        "1e400",
        '"1e400"',
        '"1e99999999999999999999"',
    ],
)
def test_other_strings_and_huge_numbers_are_refused_as_amounts(written: str) -> None:
    with pytest.raises(OrderdError) as caught:
        parse_amount(amount_in(f'{{"amount": {written}}}'), 9)
    assert caught.value.code is ErrorCode.AMOUNT_INVALID


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"amount": 1e99999999999999999999}',
        b'{"amount": 01}',
        b'{"amount": .5}',
        b'{"amount": 1, "amount": 100}',
        b"[" * 10_000,
        b"[1]",
        b"1.5",
        b"null",
    ],
)
def test_a_body_that_is_not_an_order_is_refused_with_the_reason(body: bytes) -> None:
    with pytest.raises(OrderdError, match="body: ") as caught:
        read_object(body)
    assert caught.value.code is ErrorCode.REQUEST_INVALID


def test_a_number_as_long_as_a_body_is_parsed() -> None:
    digits = "9" * 60_000
    assert amount_in(f'{{"amount": {digits}}}') == digits


@pytest.mark.parametrize(("bps", "percent"), [("0.00", b"0"), ("12.46", b"0.1246"), ("100", b"1"), ("250.00", b"2.5")])
def test_basis_points_are_reported_as_percent(bps: str, percent: bytes) -> None:
    assert orjson.dumps(percent_of_bps(bps)) == percent
