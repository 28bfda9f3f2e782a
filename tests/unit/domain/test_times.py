"""Durations and times are read as they are written, and written as they are read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.times import MAX_SECONDS, format_moment, format_span, parse_moment, parse_span


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("30s", 30), ("5m", 300), ("2h", 7_200), ("1d", 86_400), ("366d", MAX_SECONDS)]
)
def test_a_duration_is_a_number_with_a_unit(text: str, seconds: int) -> None:
    assert parse_span(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "m", "0s", "-5m", "+5m", "5 m", "5M", "1.5h", "1h30m", "367d", "٣s", "5m\n", "9" * 10 + "s"]
)
def test_an_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(OrderdError, match="such as 30s, 5m, 2h or 1d") as refused:
        parse_span(text)
    assert refused.value.code is ErrorCode.TIME_INVALID


@given(st.integers(1, MAX_SECONDS))
def test_a_duration_is_read_back_as_written(seconds: int) -> None:
    assert parse_span(format_span(seconds)) == seconds


@pytest.mark.parametrize(("seconds", "text"), [(90, "90s"), (120, "2m"), (3_600, "1h"), (172_800, "2d")])
def test_a_duration_is_written_in_the_largest_unit_that_divides_it(seconds: int, text: str) -> None:
    assert format_span(seconds) == text


@pytest.mark.parametrize("text", ["2026-12-01T09:30:00Z", "2026-12-01T10:30+01:00", "20261201T093000Z"])
def test_a_time_is_read_with_its_zone(text: str) -> None:
    assert parse_moment(text) == datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    assert parse_moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-12-01",
        "2026-12-01T09:30:00",
        "2026-13-01T09:30:00Z",
        "09:30Z",
        # Years outside the range of Postgres or Python.
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_an_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(OrderdError, match="is not a time with a zone, such as") as refused:
        parse_moment(text)
    assert refused.value.code is ErrorCode.TIME_INVALID


@given(
    st.datetimes(
        min_value=datetime(1, 1, 2),  # noqa: DTZ001  (its zone is given beside it)
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_a_time_is_written_in_utc_and_read_back(moment: datetime) -> None:
    assert format_moment(moment).endswith("Z")
    assert parse_moment(format_moment(moment)) == moment
