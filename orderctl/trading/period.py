"""Parses times of the past."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.times import format_moment, parse_moment, parse_span

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Start time: 24h or 7d (ago), 2026-11-01, or a time with a zone."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="End time: 24h or 7d (ago), 2026-11-01, or a time with a zone."),
]


def moment(text: str | None) -> str | None:
    """Convert ``7d`` (ago), a day (its beginning in UTC), or a time with a zone to the daemon's format.

    Raises OrderdError TIME_INVALID.
    """
    if text is None:
        return None
    if text[-1:] in "smhd" and text[:1].isdigit():
        return format_moment(datetime.now(UTC) - timedelta(seconds=parse_span(text)))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            return format_moment(parse_moment(text))
        except OrderdError as error:
            detail = f"{text[:50]!r} is not a duration such as 7d, a day such as 2026-11-01, or a time with a zone"
            raise OrderdError(ErrorCode.TIME_INVALID, detail) from error
    return format_moment(datetime(day.year, day.month, day.day, tzinfo=UTC))
