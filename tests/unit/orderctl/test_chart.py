"""orderctl chart: candles in terminal cells, own fills, prices of resting orders, and axes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from orderctl.display.candles import Chart, Mark, PriceLevel, last_line
from orderctl.trading.charting import chart_from
from orderd.domain.candles import HOUR, MINUTE, Candle
from orderd.wire.fills import HistoryResult
from orderd.wire.orders import ListResult
from orderd.wire.prices import PriceCandle, PricesResult
from orderd.wire.rpc import Method
from tests.samples.orders import LIMIT, OCO, STOP, TAKE_PROFIT, history, order_after
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.test_history import fill

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def candle(minute: int, opened: str, high: str, low: str, close: str) -> Candle:
    prices = (Decimal(each) for each in (opened, high, low, close))
    return Candle(NOON + timedelta(minutes=minute), *prices)


def drawn(chart: Chart, width: int, height: int) -> list[str]:
    return [line.plain for line in chart.lines(width, height)]


def test_body_and_wicks_end_within_half_a_cell() -> None:
    chart = Chart([candle(0, "2", "8", "1", "5"), candle(1, "5", "6", "1", "2")], MINUTE)
    assert drawn(chart, 20, 6) == ["│ ┤ 8.00000", "╽╽│", "┃┃│", "╿╿│", "──┘", ""]


def test_missing_candles_are_empty_and_those_without_space_are_left_out() -> None:
    chart = Chart([candle(minute, "1", "2", "1", "2") for minute in (0, 1, 2, 4)], MINUTE)
    whole = drawn(chart, 40, 6)
    assert whole[1][:6] == "┃┃┃ ┃│"
    assert drawn(chart, 13, 6)[1] == "┃ ┃│"
    assert drawn(Chart([], MINUTE), 40, 6) == []


def test_fills_point_up_where_the_base_was_bought_and_down_where_it_was_sold() -> None:
    candles = [candle(minute, "10", "20", "10", "20") for minute in range(4)]
    marks = [
        Mark(NOON + timedelta(seconds=30), Decimal(20), bought=True),
        Mark(NOON + timedelta(minutes=2), Decimal(10), bought=False),
        Mark(NOON + timedelta(minutes=9), Decimal(10), bought=False),
    ]
    lines = drawn(Chart(candles, MINUTE, marks), 40, 8)
    assert (lines[0][0], lines[5][2]) == ("▲", "▼")
    assert sum(line.count("▲") + line.count("▼") for line in lines) == 2


def test_prices_of_resting_orders_are_lines_or_listed_below() -> None:
    candles = [candle(minute, "10", "20", "10", "20") for minute in range(4)]
    levels = [
        PriceLevel(Decimal(25), "limit"),
        PriceLevel(Decimal(25), "take-profit"),
        PriceLevel(Decimal(900), "stop"),
        PriceLevel(Decimal(900), "stop"),
        PriceLevel(Decimal(800), "limit"),
        PriceLevel(Decimal(1), "limit"),
    ]
    chart = Chart(candles, MINUTE, levels=levels)
    lines = drawn(chart, 40, 8)
    assert lines[0] == "┄┄┄┄┤ limit, take-profit"
    assert list(last_line(chart, "SOL/USDC 1m", 8)) == [
        "SOL/USDC 1m: 20.0000 at 2026-11-21 12:03 UTC",
        "outside the chart: stop 900 (2 orders), limit 800",
    ]


def test_the_time_axis_matches_the_interval() -> None:
    def axis(seconds: int) -> str:
        candles = [
            Candle(NOON + timedelta(seconds=seconds * number), *map(Decimal, ("1", "2", "1", "2")))
            for number in range(40)
        ]
        return drawn(Chart(candles, seconds), 80, 8)[-1]

    assert axis(MINUTE).split() == ["12:00", "12:15", "12:30"]
    assert axis(HOUR).split("  ")[0] == "21 12:00"
    assert axis(24 * HOUR).split() == ["11-21", "12-06", "12-21"]


def test_a_constant_price_is_a_line() -> None:
    lines = drawn(Chart([candle(0, "5", "5", "5", "5")], MINUTE), 30, 8)
    assert sum(any(cell in line for cell in "╻╹┃") for line in lines) == 1


PRICES = PricesResult(
    base="SOL",
    quote="USDC",
    interval="1m",
    candles=tuple(
        PriceCandle(at=NOON + timedelta(minutes=minute), open="100", high="102", low="99", close="101")
        for minute in range(5)
    ),
)


def answer_prices(daemon: FakeDaemon, prices: PricesResult = PRICES) -> None:
    sold = fill(1).model_copy(update={"at": NOON, "amount_in": "1", "amount_out": "101"})
    elsewhere = sold.model_copy(update={"token_out": "CHILLGUY"})
    waiting = order_after(history((LIMIT,))).model_copy(update={"limit_price": "103", "stop_price": None})
    daemon.answers(Method.PRICES, prices)
    daemon.answers(Method.HISTORY, HistoryResult(fills=(sold, elsewhere), totals=None, next_cursor=None))
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=(waiting,), next_cursor=None))


def test_the_verb_draws_a_chart_and_prints_the_newest_price(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    answer_prices(daemon)
    outcome = orderctl("chart", "SOL/USDC", "--width", "40", "--height", "10")
    assert outcome.out.count("▼") == 1
    assert "limit" in outcome.out
    assert outcome.err == "SOL/USDC 1m: 101.000 at 2026-11-21 12:04 UTC\n"
    (_, params), *_ = daemon.calls
    assert params == {"pair": "SOL/USDC", "limit": 30}


def test_child_orders_do_not_repeat_the_prices_of_their_parent() -> None:
    parent = order_after(history((OCO,)))
    children = [order_after(history((end.model_copy(update={"parent_id": parent.id}),))) for end in (TAKE_PROFIT, STOP)]
    levels = chart_from(PRICES, (), [parent]).levels
    assert chart_from(PRICES, (), [parent, *children]).levels == levels
    assert levels == [PriceLevel(Decimal(95), "stop"), PriceLevel(Decimal(120), "take-profit")]


def test_a_picture_is_written_to_a_file(daemon: FakeDaemon, orderctl: Orderctl, tmp_path: Path) -> None:
    answer_prices(daemon)
    outcome = orderctl("chart", "SOL/USDC", "--svg", str(tmp_path / "sol.svg"))
    assert (outcome.out, outcome.code) == ("", 0)
    assert (tmp_path / "sol.svg").read_text().startswith("<svg")


def test_other_formats_contain_only_the_candles(daemon: FakeDaemon, orderctl: Orderctl, tmp_path: Path) -> None:
    answer_prices(daemon)
    assert orderctl("chart", "SOL/USDC", "-o", "csv").out.splitlines()[:2] == [
        "at,open,high,low,close",
        "2026-11-21T12:00:00Z,100,102,99,101",
    ]
    refused = orderctl("chart", "SOL/USDC", "-o", "json", "--svg", str(tmp_path / "sol.svg"))
    assert refused.code == 2


def test_missing_prices_are_reported_with_how_to_record_them(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    answer_prices(daemon, PRICES.model_copy(update={"candles": ()}))
    outcome = orderctl("chart", "SOL/USDC")
    assert (outcome.code, outcome.out) == (0, "")
    assert "ORDERD_WATCH_PAIRS" in outcome.err


def test_the_requested_time_is_sent_by_its_wire_name(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    answer_prices(daemon)
    orderctl("chart", "SOL/USDC", "--until", "2026-11-21", "--interval", "1h", "-o", "json")
    assert daemon.calls[0][1] | {"limit": 0} == {
        "pair": "SOL/USDC",
        "interval": "1h",
        "to": "2026-11-21T00:00:00Z",
        "limit": 0,
    }
