"""Candles in Postgres: several add to one, intervals are made of them, and what is old goes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from db import candles
from db.candles import PairCandle
from db.connection import database
from orderd.domain.candles import HOUR, MINUTE, Candle, begins, single
from orderd.domain.errors import OrderdError
from orderd.domain.times import format_moment
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.domain.well_known import registry_of
from orderd.engine.prices.candle_views import read_prices
from orderd.engine.retention import Retention
from orderd.wire.prices import PricesParams, PricesResult

pytestmark = pytest.mark.usefixtures("connection")

START = begins(datetime.now(UTC) - timedelta(hours=30), HOUR)


def keep(minute: int, *prices: str, start: datetime = START) -> None:
    """Prices of one minute, as one process stores them."""
    at = start + timedelta(minutes=minute)
    for price in prices:
        for seconds in (MINUTE, HOUR):
            candles.add([PairCandle(WSOL_MINT, USDC_MINT, seconds, single(at, Decimal(price), seconds))])


def prices(**params: Any) -> PricesResult:
    return read_prices(
        registry_of("simnet"), PricesParams.model_validate({"pair": "SOL/USDC", "limit": 1_000} | params)
    )


def candles_of(found: PricesResult) -> list[tuple[int, str, str, str, str]]:
    return [
        (int((each.at - START).total_seconds()) // 60, each.open, each.high, each.low, each.close)
        for each in found.candles
    ]


def test_what_several_have_seen_of_a_minute_is_one_candle() -> None:
    keep(0, "100", "103.50", "99", "101")
    keep(2, "102")
    found = prices(**{"from": format_moment(START)}, to=format_moment(START + timedelta(hours=1)))
    assert (found.base, found.quote, found.interval) == ("SOL", "USDC", "1m")
    assert candles_of(found) == [(0, "100", "103.5", "99", "101"), (2, "102", "102", "102", "102")]


def test_several_candles_in_one_statement() -> None:
    each = [
        PairCandle(WSOL_MINT, USDC_MINT, MINUTE, single(START + timedelta(minutes=n), Decimal(n + 1), MINUTE))
        for n in (1, 0)
    ]
    candles.add(each)
    assert [close for *_, close in candles_of(prices(to=format_moment(START + timedelta(hours=1))))] == ["1", "2"]


def test_longer_intervals_are_made_of_the_stored_ones() -> None:
    for minute, price in enumerate(("100", "104", "98", "101", "105", "90")):
        keep(minute, price)
    until = format_moment(START + timedelta(hours=1))
    assert candles_of(prices(interval="5m", to=until)) == [(0, "100", "105", "98", "105"), (5, "90", "90", "90", "90")]
    assert candles_of(prices(interval="1h", to=until)) == [(0, "100", "105", "90", "90")]


def test_the_newest_ones_are_reported_and_the_pair_is_the_same_named_either_way() -> None:
    for minute in range(5):
        keep(minute, str(100 + minute))
    until = format_moment(START + timedelta(minutes=5))
    assert [at for at, *_ in candles_of(prices(limit=2, to=until, pair="USDC/SOL"))] == [3, 4]
    assert candles_of(prices(to=format_moment(START - timedelta(days=1)))) == []
    assert candles_of(prices(to="1970-01-01T00:00:00Z")) == []


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"pair": "SOL"}, "not a pair"),
        ({"pair": "SOL/UDSC"}, "did you mean USDC"),
        ({"interval": "7m30s"}, "7m30s"),
    ],
)
def test_what_is_unknown_is_refused(params: dict[str, str], why: str) -> None:
    with pytest.raises(OrderdError, match=why):
        prices(**params)


def test_the_price_of_a_moment_is_the_last_one_of_the_hour_before() -> None:
    keep(10, "100", "101")
    keep(20, "110")

    def at(minutes: int, *, is_estimate: bool = False) -> Decimal | None:
        moment = START + timedelta(minutes=minutes)
        return candles.price_at(WSOL_MINT, USDC_MINT, moment, is_estimate=is_estimate)

    assert at(10) == at(19) == Decimal(101)
    assert at(20) == at(79) == Decimal(110)
    assert at(9) is None, "what came later was not known"
    assert at(80) is None, "what is old tells nothing of now"
    assert at(-5, is_estimate=True) == Decimal(100), "the first one after"
    assert at(20 + 60 * 46, is_estimate=True) == Decimal(110), "the last hour before"
    assert at(-60 * 72, is_estimate=True) is None


def test_minutes_go_after_thirty_days_and_hours_after_a_year() -> None:
    now = begins(datetime.now(UTC), HOUR)
    for days in (29, 31, 364, 366):
        keep(0, "100", start=now - timedelta(days=days))
    database.execute_sql("UPDATE clock SET moved = 2 * 86400")
    assert candles.remove_old() == 2, "a clock that was set ahead makes nothing older"
    database.execute_sql("UPDATE clock SET moved = 0")
    looked: list[bool] = []
    retention = Retention({}, lambda: looked.append(True))
    assert [retention.run_once(), retention.run_once(), retention.run_once()] == [2, 0, 0]
    assert looked == [True, True], "with nothing left to remove, it rests"
    left = database.execute_sql("SELECT seconds, at FROM candles ORDER BY at, seconds").fetchall()
    assert [(seconds, (now - at).days) for seconds, at in left] == [(HOUR, 364), (HOUR, 31), (MINUTE, 29), (HOUR, 29)]


def test_a_candle_that_contradicts_itself_is_refused() -> None:
    wrong = Candle(START, Decimal(1), Decimal(2), Decimal("1.5"), Decimal(1))
    with pytest.raises(Exception, match="candles_check"):
        candles.add([PairCandle(WSOL_MINT, USDC_MINT, MINUTE, wrong)])
