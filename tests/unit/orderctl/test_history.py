"""orderctl history: fills in pages, and their totals."""

import csv
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest

from orderctl.trading.period import moment
from orderd.domain.errors import OrderdError
from orderd.domain.order import OrderKind
from orderd.domain.times import parse_moment
from orderd.wire.fills import HistoryFill, HistoryResult, HistoryTotals, PairTotal
from orderd.wire.rpc import Method
from tests.samples.orders import SIGNATURE, START
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon

PAIR = PairTotal(
    token_in="SOL", token_out="USDC", fills=501, amount_in="751.5", amount_out="76307.4", price="101.540141"
)
TOTALS = HistoryTotals(fills=501, network_fee="0.0025", rent="0.00203928", pairs=(PAIR,))


def fill(number: int, **others: Any) -> HistoryFill:
    return HistoryFill(
        order_id=UUID(int=(0x0199D3A0123472BC << 64) + number),
        attempt=1,
        signature=SIGNATURE,
        slot=812,
        at=START,
        amount_in="1.5",
        amount_out="152.310211",
        price="101.540141",
        network_fee="0.000005",
        client_order_id=f"order-{number}",
        account="default",
        kind=OrderKind.MARKET,
        token_in="SOL",
        token_out="USDC",
        **others,
    )


def answer_fills(daemon: FakeDaemon, count: int = 1) -> None:
    """Answer with ``count`` fills in the requested pages; the cursor is the next fill's number."""

    def page(params: dict[str, Any]) -> HistoryResult:
        first = int(params.get("cursor") or f"0.{UUID(int=0)}".partition(".")[0])
        last = min(first + params["limit"], count)
        return HistoryResult(
            fills=tuple(map(fill, range(first, last))),
            totals=TOTALS if first == 0 else None,
            next_cursor=None if last == count else str(last),
        )

    daemon.answers(Method.HISTORY, page)


def test_fills_are_a_table_with_totals(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    losing = fill(1, mid="102", quote_slippage_bps="-13.56", mid_slippage_bps="45.08")
    daemon.answers(Method.HISTORY, HistoryResult(fills=(losing,), totals=TOTALS, next_cursor=None))
    code, out, err = orderctl("history")
    head, row = (line.split() for line in out.splitlines())
    assert (code, head) == (0, ["TIME", "ORDER", "SOLD", "RECEIVED", "PRICE", "QUOTE", "BP", "MID", "BP"])
    assert row[3:] == ["1.5", "SOL", "152.310211", "USDC", "101.540141", "-13.56", "45.08"]
    assert err.splitlines() == [
        "501 fills: 751.5 SOL for 76307.4 USDC, at 101.54012 USDC per SOL",
        "501 fills in total: network fees 0.0025 SOL, rent 0.00203928 SOL",
    ]


def test_purchases_and_sales_are_priced_in_the_same_unit(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    bought = {"token_in": "USDC", "token_out": "SOL", "amount_in": "150", "amount_out": "1.5", "price": "0.01"}
    fills = (fill(1, mid="101"), fill(2, mid="0.0125").model_copy(update=bought))
    total = PairTotal(token_in="USDC", token_out="SOL", fills=1, amount_in="150", amount_out="1.5", price="0.01")
    totals = TOTALS.model_copy(update={"pairs": (total,)})
    daemon.answers(Method.HISTORY, HistoryResult(fills=fills, totals=totals, next_cursor=None))
    _, out, err = orderctl("history", "-o", "wide")
    _, sale, purchase = (line.split() for line in out.splitlines())
    assert [sale[7], sale[10], purchase[7], purchase[10]] == ["101.540141", "101", "100", "80"]
    assert err.startswith("1 fill: 150 USDC for 1.5 SOL, at 100 USDC per SOL\n")


def test_all_pages_are_read_and_csv_has_a_header(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    answer_fills(daemon, 501)
    rows = list(csv.DictReader(StringIO(orderctl("history", "--all", "-o", "csv").out)))
    assert [row["client_order_id"] for row in rows] == [f"order-{number}" for number in range(501)]
    assert (rows[0]["amount_out"], rows[0]["mid"], rows[0]["at"]) == ("152.310211", "", "2025-11-21T09:30:00Z")


def test_the_limit_ends_the_list_and_mentions_further_fills(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    answer_fills(daemon, 501)
    outcome = orderctl("history", "-n", "3", "-o", "jsonl")
    assert len(outcome.out.splitlines()) == 3
    assert "there are more" in outcome.err


def test_filters_are_sent_and_an_empty_result_is_reported(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    nothing = HistoryTotals(fills=0, network_fee="0", rent="0", pairs=())
    daemon.answers(Method.HISTORY, HistoryResult(fills=(), totals=nothing, next_cursor=None))
    outcome = orderctl("history", "--token", "SOL", "--kind", "stop", "--since", "2026-11-01", "--until", "2026-11-02")
    ((_, params),) = daemon.calls
    assert {name: params[name] for name in ("token", "kind", "since", "until")} == {
        "token": "SOL",
        "kind": ["stop"],
        "since": "2026-11-01T00:00:00Z",
        "until": "2026-11-02T00:00:00Z",
    }
    assert (outcome.out, outcome.err) == ("", "no fills match\n")


def test_a_time_is_relative_or_a_date_or_a_timestamp() -> None:
    ago = parse_moment(str(moment("7d")))
    assert timedelta(days=7) <= datetime.now(UTC) - ago < timedelta(days=7, minutes=1)
    assert moment("2026-11-01") == "2026-11-01T00:00:00Z"
    assert moment("2026-11-01T10:30:00+02:00") == "2026-11-01T08:30:00Z"
    assert moment(None) is None
    with pytest.raises(OrderdError, match="is not a duration such as 7d"):
        moment("yesterday")


def test_times_are_local_like_those_of_all_tables(
    daemon: FakeDaemon, orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_fills(daemon)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        shown = orderctl("history").out
    finally:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()
    local = START + timedelta(hours=5, minutes=45)
    assert f"{local:%Y-%m-%d %H:%M:%S}" in shown
