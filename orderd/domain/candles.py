"""Candles: the first, highest, lowest and last price of a pair in a time span, without volume.

Prices are of one base token in the quote token of ``orderd.domain.price``, in whole tokens. A span without a price has
no candle.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.times import parse_span

MINUTE: Final = 60
HOUR: Final = 3_600
KEPT_DAYS: Final = {MINUTE: 30, HOUR: 365}
"""The spans of stored candles in seconds, and how many days each is kept."""
LONGEST: Final = 7 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Candle:
    """``at`` is when it begins, in UTC."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

    def followed_by(self, later: "Candle") -> "Candle":
        """The candle of both spans together."""
        high, low = max(self.high, later.high), min(self.low, later.low)
        return replace(self, high=high, low=low, close=later.close)


def begins(at: datetime, seconds: int) -> datetime:
    """The beginning of the span of this length that contains ``at``, counted from 1970 in UTC."""
    whole = int(at.timestamp()) // seconds * seconds
    return datetime.fromtimestamp(whole, UTC)


def single(at: datetime, price: Decimal, seconds: int) -> Candle:
    """The candle of a span with this one price."""
    return Candle(begins(at, seconds), price, price, price, price)


def merged(candles: Iterable[Candle], seconds: int) -> list[Candle]:
    """Merge candles, which are in the order of time, into longer ones."""
    longer: list[Candle] = []
    for at, group in groupby(candles, key=lambda candle: begins(candle.at, seconds)):
        first, *others = group
        candle = replace(first, at=at)
        for each in others:
            candle = candle.followed_by(each)
        longer.append(candle)
    return longer


def parse_interval(text: str) -> int:
    """``1m``, ``5m``, ``1h`` or ``1d`` in seconds. Raises OrderdError TIME_INVALID."""
    seconds = parse_span(text)
    if seconds % MINUTE or seconds > LONGEST or (seconds > HOUR and seconds % HOUR):
        detail = f"{text[:50]!r} is not an interval of whole minutes up to 1h, or of whole hours up to 7d, such as 5m"
        raise OrderdError(ErrorCode.TIME_INVALID, detail)
    return seconds


def stored_as(seconds: int) -> int:
    """The length of the stored candles that an interval is made from: hours if possible, because they are kept
    longer."""
    return HOUR if seconds % HOUR == 0 else MINUTE
