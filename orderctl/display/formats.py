"""Formats times, durations, counts, percentages and addresses for display."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

POOL_WIDTH: Final = 9
"""Characters of a pool's address that distinguish it from the others."""
ADDRESS_WIDTH: Final = 44
"""Characters of a full address."""


def moment(at: datetime) -> str:
    """The local date and time, to the second."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def clock(at: datetime) -> str:
    """The local time, to the millisecond, with the date if it is not today."""
    local = at.astimezone()
    date = "" if local.date() == datetime.now(UTC).astimezone().date() else f"{local:%Y-%m-%d} "
    return f"{date}{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def duration(seconds: float) -> str:
    """A duration such as ``43 ms``, ``1.4 s``, ``1:01`` or ``1:02:05``."""
    if round(seconds, 3) < 1:
        return f"{seconds * 1000:.0f} ms"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def milliseconds(time: float | None) -> str:
    """A short duration in milliseconds; a dash if unknown."""
    return "-" if time is None else f"{time:.1f} ms"


def counted(count: int, noun: str) -> str:
    """A count with its noun: ``1 slot``, ``2 slots``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def waiting(until: datetime, now: datetime) -> str:
    """The remaining wait of an order."""
    left = (until - now).total_seconds()
    return f"continues in {duration(left)}" if left > 0 else "continues now"


def percent(bps: str) -> str:
    """Convert basis points to percent."""
    return f"{Decimal(bps).scaleb(-2).normalize():f}"


def shorten(text: str, width: int) -> str:
    """Replace the middle of an address or a signature by …, to fit into ``width`` characters."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"
