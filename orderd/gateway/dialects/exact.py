"""Parses JSON with exact numbers, so that no float rounds an amount."""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

import orjson

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.strict_json import RepeatedMemberError, each_once

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MAX_DIGITS: Final = 100
"""Maximum digits before or after the point; far above those of any amount."""


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object whose numbers are Decimals. Raises OrderdError REQUEST_INVALID, also if a member is repeated."""
    try:
        value = json.loads(
            body,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=each_once,
        )
    except (ValueError, RecursionError, InvalidOperation) as error:
        is_plain = type(error) in (ValueError, json.JSONDecodeError, RepeatedMemberError)
        detail = str(error) if is_plain else type(error).__name__
        raise OrderdError(ErrorCode.REQUEST_INVALID, f"body: is not the JSON of an order: {detail}") from error
    if not isinstance(value, dict):
        raise OrderdError(ErrorCode.REQUEST_INVALID, "body: is not a JSON object")
    return value


def decimal_text(value: object, name: str) -> str:
    """A JSON number, or a string that is written like one, as a plain decimal: ``1e-9`` is ``0.000000001``.

    Raises OrderdError REQUEST_INVALID for anything but a number or a string. Any other string is returned unchanged,
    and refused when the decimal is parsed.
    """
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return value
        value = _decimal(value)
    if not isinstance(value, Decimal):
        raise OrderdError(ErrorCode.REQUEST_INVALID, f"{name}: is neither a number nor a string")
    if value.is_finite() and abs(value.adjusted()) <= _MAX_DIGITS:
        return f"{value:f}"
    return str(value)


def number(text: str) -> orjson.Fragment:
    """A decimal string as a JSON number of just these digits."""
    return orjson.Fragment(text)


def percent_of_bps(bps: str) -> orjson.Fragment:
    return number(f"{Decimal(bps).scaleb(-2).normalize():f}")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # the exponent exceeds the range of Decimal
        return Decimal("Infinity")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
