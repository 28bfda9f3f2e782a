"""Amounts: integers of base units inside, decimal strings outside. No float ever touches one."""

import re
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError

U64_MAX = 2**64 - 1
BPS = 10_000
LAMPORT_DECIMALS: Final = 9
LAMPORTS_PER_SOL: Final = 10**LAMPORT_DECIMALS
HUNDREDTH: Final = Decimal("0.01")
"""The precision of basis points and percentages that are shown."""
MAX: Final = "max"
"""The word for the whole balance."""
EXACT: Final = Context(prec=60)
"""For quotients of amounts, which have more digits than the default context."""
PLAIN_DECIMAL = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?|[+-]?\.\d{1,40}", re.ASCII)


def parse_amount(text: str, decimals: int) -> int:
    """A positive decimal string, like ``1.5``, in base units of a token with ``decimals`` decimals.

    Raises OrderdError: AMOUNT_INVALID, AMOUNT_NOT_POSITIVE, AMOUNT_TOO_PRECISE or AMOUNT_TOO_LARGE.
    """
    if not PLAIN_DECIMAL.fullmatch(text):
        raise OrderdError(ErrorCode.AMOUNT_INVALID, f"{text[:50]!r} is not a plain decimal number")
    with localcontext(prec=100):
        scaled = Decimal(text).scaleb(decimals)
        if scaled <= 0:
            raise OrderdError(ErrorCode.AMOUNT_NOT_POSITIVE, f"{text} is not above zero")
        if scaled != scaled.to_integral_value():
            raise OrderdError(ErrorCode.AMOUNT_TOO_PRECISE, f"{text} has more than the token's {decimals} decimals")
        amount = int(scaled)
    if amount > U64_MAX:
        raise OrderdError(ErrorCode.AMOUNT_TOO_LARGE, f"{text} is more than 2^64-1 base units")
    return amount


def parse_amount_word(text: str) -> str | None:
    """The stored form of a relative amount, ``max`` or a percentage such as ``50%``; None if it is not one.

    Raises OrderdError AMOUNT_INVALID or AMOUNT_NOT_POSITIVE for an invalid percentage.
    """
    word = text.strip().lower()
    if word == MAX:
        return MAX
    if not word.endswith("%"):
        return None
    if not PLAIN_DECIMAL.fullmatch(word[:-1]) or Decimal(word[:-1]) > 100:
        raise OrderdError(ErrorCode.AMOUNT_INVALID, f"{text[:50]!r} is not a percentage up to 100%")
    if (percent := Decimal(word[:-1])) <= 0:
        raise OrderdError(ErrorCode.AMOUNT_NOT_POSITIVE, f"{text[:50]} is not above zero")
    digits = f"{percent.normalize():f}"
    return f"{digits}%"


def part_of(word: str) -> Fraction:
    """The fraction of the balance that a word of ``parse_amount_word`` means."""
    return Fraction(1) if word == MAX else Fraction(word.removesuffix("%")) / 100


def format_amount(amount: int, decimals: int) -> str:
    """Base units as the shortest exact decimal string: ``1500000000, 9`` is ``1.5``."""
    sign = "-" if amount < 0 else ""
    digits = str(abs(amount)).zfill(decimals + 1)
    if decimals:
        digits = f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")
    return f"{sign}{digits}"


def format_price(amount_in: int, decimals_in: int, amount_out: int, decimals_out: int, digits: int = 9) -> str:
    """Output tokens for one input token, as a decimal string of ``digits`` significant digits, rounded half even."""
    price = EXACT.divide(Decimal(amount_out), Decimal(amount_in)).scaleb(decimals_in - decimals_out, EXACT)
    return _rounded(price, digits)


def format_significant(value: Fraction, digits: int = 9) -> str:
    """A decimal string of ``digits`` significant digits, rounded half even."""
    return _rounded(EXACT.divide(Decimal(value.numerator), Decimal(value.denominator)), digits)


def _rounded(value: Decimal, digits: int) -> str:
    return f"{_to_digits(digits).plus(value).normalize():f}"


@cache
def _to_digits(digits: int) -> Context:
    return Context(prec=digits)


def parse_slippage_bps(percent: str) -> int:
    """Slippage in percent, like ``0.5``, as basis points.

    Raises OrderdError: SLIPPAGE_OUT_OF_RANGE, also if it is not a number or finer than a basis point.
    """
    return _parse_bps(percent, BPS, ErrorCode.SLIPPAGE_OUT_OF_RANGE)


def parse_cost_bps(percent: str, limit_bps: int) -> int:
    """The maximum that fees and price impact together may cost, in percent, as basis points up to ``limit_bps``.

    Raises OrderdError: COST_OUT_OF_RANGE, also if it is not a number or finer than a basis point.
    """
    return _parse_bps(percent, limit_bps, ErrorCode.COST_OUT_OF_RANGE)


def _parse_bps(percent: str, limit_bps: int, code: ErrorCode) -> int:
    if not PLAIN_DECIMAL.fullmatch(percent):
        raise OrderdError(code, f"{percent[:50]!r} is not a number of percent")
    bps = Decimal(percent) * 100
    if bps != bps.to_integral_value() or not 0 <= bps <= limit_bps:
        limit = f"{format_amount(limit_bps, 2)} %" + (", the daemon's limit," if limit_bps < BPS else "")
        raise OrderdError(code, f"{percent} % is not within 0 and {limit} in steps of 0.01 %")
    return int(bps)


def min_amount_out(amount_out: int, slippage_bps: int) -> int:
    """The minimum amount out, in base units: the quote less the slippage, rounded up in the trader's favour."""
    return -(-amount_out * (BPS - slippage_bps) // BPS)


def max_amount_in(amount_in: int, slippage_bps: int) -> int:
    """The maximum amount in, in base units: the quote and the slippage, rounded down in the trader's favour."""
    return min(amount_in * (BPS + slippage_bps) // BPS, U64_MAX)
