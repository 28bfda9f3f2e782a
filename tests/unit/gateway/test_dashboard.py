"""The dashboard's page: its content, its plots, and that it is harmless."""

import math
import re
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.recent import FillFigures, Recent
from orderd.domain.halt import HaltCause
from orderd.gateway.dashboard.measured import Measured, RequestFigures, measured, quantile
from orderd.gateway.dashboard.page import CONTENT_SECURITY_POLICY, DashboardData, DashboardParams, dashboard_page
from orderd.gateway.dashboard.plots import PlotSeries, axis_of, bars, lines
from orderd.gateway.health_checks import Readiness
from orderd.wire.halts import HaltView
from orderd.wire.status import RateLimitUse, ServiceHealth, StatusResult
from tests.samples.orders import FILLED, history, order_after

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TIMES = ("11:45", "11:52", "now")
EVIL = "<script>alert(1)</script>"


def sights(recent: Recent | None = None, **changes: object) -> DashboardData:
    status = StatusResult(
        version="1",
        wire_version=1,
        chain="simnet",
        wallet="7JuwJuNU88gurFnyWeiyGKbFmExMWcmRZntn9imEzdny",
        started_at=NOW,
        draining=False,
        services={"postgres": ServiceHealth(ok=True, latency_ms=1.5), "redis": ServiceHealth(ok=False, detail=EVIL)},
        orders={"confirmed": 7},
        unknown=0,
        rate_limit=RateLimitUse(limit=40, window_seconds=60, used=12, waiting=3),
        queue_depth=2,
        workers=1,
        slot=1234,
        block_height=234,
        executing=True,
        executing_reasons=(),
        halts=(),
        untold=(),
    )
    return DashboardData(
        status=status.model_copy(update=changes),
        readiness=Readiness(ready=not changes.get("halts"), checks={}, executing=True, executing_reasons=()),
        recent=recent,
        active=(),
        ended=None,
        balances={"SOL": 1.5},
        measured=Measured({"raydium_clmm": RequestFigures(4, 1, 0.1)}, {}),
    )


def page(recent: Recent | None = None, **changes: object) -> str:
    return dashboard_page(sights(recent, **changes), DashboardParams(), NOW)


FIGURES = FillFigures(3, (0.25, 1.5), (-12.0, 0.0, 4.0))
RECENT = Recent(
    accepted={0: 4}, failed={1: 2}, filled={0: FIGURES}, by_venue={"meteora": FIGURES}, by_code={"TX_EXPIRED": 2}
)
RECENT.all_fills = FIGURES


def test_the_page_shows_recent_activity_in_plots_tables_and_text() -> None:
    shown = page(RECENT)
    for words in (
        "4 accepted, 3 filled, 2 attempts failed",
        "median 250 ms, 95 percent within 1.5 s",
        "median 0 bp, worst tenth -12 bp",
        "TX_EXPIRED",
        "meteora",
        "raydium_clmm",
        "Orders are accepted and executed.",
        "of 40 in 60 s, 3 wait",
    ):
        assert words in shown
    assert shown.count('role="img"') == 3


def test_the_page_escapes_everything_written_by_others() -> None:
    shown = page(RECENT)
    assert EVIL not in shown
    assert "&lt;script&gt;" in shown
    assert not re.search(r"<script|\bon\w+=|\bstyle=|javascript:|https?://", shown)
    style = re.search(r"<style>(.*?)</style>", shown, re.DOTALL)
    assert style is not None
    assert f"'sha256-{b64encode(sha256(style[1].encode()).digest()).decode()}'" in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")


def test_orders_of_both_directions_have_their_price_in_one_unit() -> None:
    sold = order_after(history(FILLED))
    bought = sold.model_copy(update={"token_in": "USDC", "token_out": "SOL", "executed_price": "0.00983410072"})
    unknown = sold.model_copy(update={"token_in": "WIF", "token_out": "BONK", "executed_price": "4"})
    waiting = sold.model_copy(update={"executed_price": None, "take_profit_price": "120"})
    shown = dashboard_page(
        replace(sights(RECENT), ended=(sold, bought, unknown), active=(waiting,)), DashboardParams(), NOW
    )
    prices = "101.540141 USDC per SOL", "101.68698 USDC per SOL", "4 BONK per WIF", "120"
    assert all(f"<td>{price}</td>" in shown for price in prices)


def test_unknown_figures_are_shown_as_unknown() -> None:
    shown = page(None, untold=("orders", "unknown", "queue_depth", "workers", "rate_limit.used"), slot=None)
    assert "Postgres does not tell what happened of late." in shown
    tiles = shown[shown.index('<dl class="tiles">') : shown.index("</dl>")]
    assert tiles.count("unknown") == tiles.count("<dt") == 10


def test_a_halt_is_shown_prominently_and_in_the_title() -> None:
    halt = HaltView(cause=HaltCause.OPERATOR, reason="prices look wrong", actor="alice", at=NOW)
    shown = page(RECENT, halts=(halt,))
    assert halt.summary in shown
    assert "prices look wrong" in halt.summary
    assert "<title>orderd (halted)</title>" in shown


def test_the_refresh_can_be_disabled() -> None:
    assert '<meta http-equiv="refresh" content="5">' in page(RECENT)
    still = dashboard_page(sights(RECENT), DashboardParams(refresh="off"), NOW)
    assert "http-equiv" not in still
    assert "renew every 5 s" in still


@given(st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), max_size=20))
def test_an_axis_covers_all_values_with_few_round_ticks(values: list[float]) -> None:
    axis = axis_of(values)
    slack = (axis.high - axis.low) * 1e-9
    assert all(axis.low - slack <= value <= axis.high + slack for value in [0.0, *values])
    assert 2 <= len(axis.ticks) <= 8


def test_orders_are_counted_in_whole_numbers() -> None:
    assert axis_of([1.0], least_step=1).ticks == [0, 1]


def test_a_line_has_gaps_for_unknown_values_and_dots_for_single_ones() -> None:
    plot = lines("Few", [PlotSeries("a", "first", [1, 2, None, 3, None])], TIMES, str)
    assert plot.count("<polyline") == 1
    assert plot.count("<circle") == 1
    assert 'aria-label="Few"' in plot


def test_bars_are_stacked() -> None:
    plot = bars("Bars", [PlotSeries("a", "good", [2, 0]), PlotSeries("b", "bad", [2, None])], TIMES, str)
    tops = [float(y) for y in re.findall(r'<rect[^>]* y="([\d.]+)"', plot)]
    heights = [float(height) for height in re.findall(r'height="([\d.]+)"/>', plot)]
    assert len(tops) == 2
    assert tops[1] + heights[1] == pytest.approx(tops[0])


@pytest.mark.parametrize(
    ("buckets", "value"),
    [
        ({}, None),
        ({1.0: 0, math.inf: 0}, None),
        ({1.0: 10, math.inf: 10}, 0.5),
        ({1.0: 4, 3.0: 10, math.inf: 10}, 1 + 2 / 6),
        ({1.0: 2, 5.0: 2, math.inf: 10}, 5.0),
    ],
)
def test_quantiles_are_computed_like_in_prometheus(buckets: dict[float, int], value: float | None) -> None:
    assert quantile(0.5, buckets) == (None if value is None else pytest.approx(value))


def test_figures_of_two_processes_are_merged() -> None:
    text = "\n".join(
        (
            "# HELP orderd_chain_rpc_seconds Time.",
            "# TYPE orderd_chain_rpc_seconds histogram",
            'orderd_chain_rpc_seconds_bucket{method="getSlot",le="0.1"} 8.0',
            'orderd_chain_rpc_seconds_bucket{method="getSlot",le="+Inf"} 8.0',
            'orderd_chain_rpc_seconds_count{method="getSlot"} 8.0',
            'orderd_chain_rpc_seconds_bucket{role="worker",method="getSlot",le="0.1"} 2.0',
            'orderd_chain_rpc_seconds_bucket{role="worker",method="getSlot",le="+Inf"} 2.0',
            'orderd_chain_rpc_seconds_count{role="worker",method="getSlot"} 2.0',
            "# TYPE orderd_chain_rpc_errors_total counter",
            'orderd_chain_rpc_errors_total{method="getSlot",error="transport"} 1.0',
            'orderd_chain_rpc_errors_total{method="getBlock",error="response"} 4.0',
            "# TYPE orderd_ready gauge",
            "orderd_ready 1.0",
        )
    )
    methods = measured(text).methods
    assert methods["getBlock"] == RequestFigures(0, 4, None)
    assert (methods["getSlot"].answers, methods["getSlot"].errors) == (10, 1)
    assert methods["getSlot"].seconds == pytest.approx(0.095)
    assert set(methods) == {"getBlock", "getSlot"}
    assert measured("").venues == {}
