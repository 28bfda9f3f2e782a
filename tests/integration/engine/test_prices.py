"""Candles in Postgres: several processes contribute to one, longer intervals are aggregated, and old ones are
removed."""

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
    """Store prices of one minute, as one process does."""
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


def test_prices_of_several_processes_form_one_candle() -> None:
    keep(0, "100", "103.50", "99", "101")
    keep(2, "102")
    found = prices(**{"from": format_moment(START)}, to=format_moment(START + timedelta(hours=1)))
    assert (found.base, found.quote, found.interval) == ("SOL", "USDC", "1m")
    assert candles_of(found) == [(0, "100", "103.5", "99", "101"), (2, "102", "102", "102", "102")]


def test_several_candles_are_stored_in_one_statement() -> None:
    each = [
        PairCandle(WSOL_MINT, USDC_MINT, MINUTE, single(START + timedelta(minutes=n), Decimal(n + 1), MINUTE))
        for n in (1, 0)
    ]
    candles.add(each)
    assert [close for *_, close in candles_of(prices(to=format_moment(START + timedelta(hours=1))))] == ["1", "2"]


def test_longer_intervals_are_aggregated_from_stored_ones() -> None:
    for minute, price in enumerate(("100", "104", "98", "101", "105", "90")):
        keep(minute, price)
    until = format_moment(START + timedelta(hours=1))
    assert candles_of(prices(interval="5m", to=until)) == [(0, "100", "105", "98", "105"), (5, "90", "90", "90", "90")]
    assert candles_of(prices(interval="1h", to=until)) == [(0, "100", "105", "90", "90")]


def test_the_newest_candles_are_returned_for_either_order_of_the_pair() -> None:
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
        ({"pair": "SOL-USDC"}, "not a pair"),
        ({"pair": "SOL/UDSC"}, "did you mean USDC"),
        ({"interval": "7m30s"}, "7m30s"),
    ],
)
def test_unknown_pairs_and_intervals_are_refused(params: dict[str, str], why: str) -> None:
    with pytest.raises(OrderdError, match=why):
        prices(**params)


def test_the_price_at_a_time_is_the_last_one_of_the_hour_before() -> None:
    keep(10, "100", "101")
    keep(20, "110")

    def at(minutes: int, *, is_estimate: bool = False) -> Decimal | None:
        moment = START + timedelta(minutes=minutes)
        return candles.price_at(WSOL_MINT, USDC_MINT, moment, is_estimate=is_estimate)

    assert at(10) == at(19) == Decimal(101)
    assert at(20) == at(79) == Decimal(110)
    assert at(9) is None, "a later price was used"
    assert at(80) is None, "an old price was used"
    assert at(-5, is_estimate=True) == Decimal(100), "the first price after"
    assert at(20 + 60 * 46, is_estimate=True) == Decimal(110), "the last hourly price before"
    assert at(-60 * 72, is_estimate=True) is None


def test_minute_candles_are_removed_after_30_days_and_hour_candles_after_a_year() -> None:
    now = begins(datetime.now(UTC), HOUR)
    for days in (29, 31, 364, 366):
        keep(0, "100", start=now - timedelta(days=days))
    database.execute_sql("UPDATE clock SET moved = 2 * 86400")
    assert candles.remove_old() == 2, "a clock that was set ahead must not age candles"
    database.execute_sql("UPDATE clock SET moved = 0")
    looked: list[bool] = []
    retention = Retention({}, lambda: looked.append(True))
    assert [retention.run_once(), retention.run_once(), retention.run_once()] == [2, 0, 0]
    assert looked == [True, True], "it pauses when nothing is left to remove"
    left = database.execute_sql("SELECT seconds, at FROM candles ORDER BY at, seconds").fetchall()
    assert [(seconds, (now - at).days) for seconds, at in left] == [(HOUR, 364), (HOUR, 31), (MINUTE, 29), (HOUR, 29)]


def test_an_inconsistent_candle_is_refused() -> None:
    wrong = Candle(START, Decimal(1), Decimal(2), Decimal("1.5"), Decimal(1))
    with pytest.raises(Exception, match="candles_check"):
        candles.add([PairCandle(WSOL_MINT, USDC_MINT, MINUTE, wrong)])
