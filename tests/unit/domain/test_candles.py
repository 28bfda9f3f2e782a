from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.candles import HOUR, MINUTE, Candle, begins, merged, parse_interval, single, stored_as
from orderd.domain.errors import ErrorCode, OrderdError

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PRICES = st.lists(st.tuples(st.integers(0, 4 * HOUR), st.decimals(1, 100, places=2)), min_size=1, max_size=60)


def test_a_span_is_counted_in_utc_from_1970() -> None:
    at = NOON + timedelta(minutes=17, seconds=42)
    assert begins(at, MINUTE) == NOON + timedelta(minutes=17)
    assert begins(at, 4 * HOUR) == NOON
    assert begins(at, 24 * HOUR) == NOON.replace(hour=0)


@given(PRICES)
def test_longer_candles_equal_those_of_the_prices_themselves(seen: list[tuple[int, Decimal]]) -> None:
    prices = [(NOON + timedelta(seconds=second), price) for second, price in sorted(seen, key=lambda each: each[0])]
    minutes = merged((single(at, price, MINUTE) for at, price in prices), MINUTE)
    assert merged(minutes, HOUR) == merged((single(at, price, HOUR) for at, price in prices), HOUR)
    for candle in merged(minutes, HOUR):
        of_hour = [price for at, price in prices if begins(at, HOUR) == candle.at]
        assert candle == Candle(candle.at, of_hour[0], max(of_hour), min(of_hour), of_hour[-1])


def test_a_span_without_a_price_has_no_candle() -> None:
    candles = [single(NOON, Decimal(1), MINUTE), single(NOON + timedelta(hours=2), Decimal(2), MINUTE)]
    assert [candle.at for candle in merged(candles, HOUR)] == [NOON, NOON + timedelta(hours=2)]
    assert merged([], HOUR) == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m", 60), ("90m", None), ("15m", 900), ("60m", HOUR), ("4h", 4 * HOUR), ("7d", 168 * HOUR)]
)
def test_an_interval_is_a_number_of_whole_minutes_or_hours(text: str, seconds: int | None) -> None:
    if seconds is not None:
        assert parse_interval(text) == seconds
        return
    with pytest.raises(OrderdError, match="not an interval"):
        parse_interval(text)


@pytest.mark.parametrize("text", ["30s", "8d", "1.5h", ""])
def test_an_invalid_interval_is_refused(text: str) -> None:
    with pytest.raises(OrderdError) as refused:
        parse_interval(text)
    assert refused.value.code is ErrorCode.TIME_INVALID


def test_intervals_are_aggregated_from_stored_minutes_or_hours() -> None:
    assert (stored_as(4 * HOUR), stored_as(15 * MINUTE)) == (HOUR, MINUTE)
