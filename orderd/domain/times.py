"""How long an order is valid, as a trader writes it."""

import re
from datetime import UTC, datetime
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN: Final = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
MAX_SECONDS: Final = 366 * 86_400
"""Maximum validity."""


def parse_span(text: str) -> int:
    """``30s``, ``5m``, ``2h`` or ``1d`` in seconds. Raises OrderdError TIME_INVALID."""
    found = _SPAN.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 1 <= seconds <= MAX_SECONDS:
        raise OrderdError(
            ErrorCode.TIME_INVALID, f"{text[:50]!r} is not a time from 1s to 366d, such as 30s, 5m, 2h or 1d"
        )
    return seconds


def format_span(seconds: int) -> str:
    """The shortest such text of the same length."""
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def parse_moment(text: str) -> datetime:
    """An ISO-8601 time with its zone, such as ``2026-12-01T09:30:00Z``, in UTC. Raises OrderdError TIME_INVALID."""
    try:
        moment = datetime.fromisoformat(text)
        in_utc = None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: in UTC the year is out of range
        in_utc = None
    if in_utc is None:
        example = "2026-12-01T09:30:00Z"
        raise OrderdError(ErrorCode.TIME_INVALID, f"{text[:50]!r} is not a time with a zone, such as {example}")
    return in_utc


def format_moment(moment: datetime) -> str:
    """A time in UTC, with ``Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
