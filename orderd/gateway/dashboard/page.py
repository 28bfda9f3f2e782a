"""The dashboard as HTML, under a policy that allows only its own style sheet: no scripts, and nothing from other
sites."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from db.recent import MAX_ROWS, FillFigures, Recent
from orderd.domain.order import STATES
from orderd.domain.price_by_symbol import price_in, quote_of
from orderd.gateway.dashboard.measured import Measured
from orderd.gateway.dashboard.plots import PlotSeries, bars, lines
from orderd.gateway.health_checks import Readiness
from orderd.gateway.style_sheet import StyleSheet
from orderd.wire.orders import OrderView
from orderd.wire.status import StatusResult

REFRESH_SECONDS: Final = 5
STEPS: Final = 60
"""Number of bars in a plot."""
_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("orderd.gateway.dashboard", "."),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_STYLE: Final = StyleSheet("orderd.gateway.dashboard", "dashboard.css")
CONTENT_SECURITY_POLICY: Final = _STYLE.policy
SPANS: Final = {"5m": 300, "15m": 900, "1h": 3_600, "24h": 86_400}


class DashboardParams(BaseModel):
    """What is shown."""

    model_config = ConfigDict(extra="forbid")

    span: Literal["5m", "15m", "1h", "24h"] = Field("15m", description="how far back the plots go")
    refresh: Literal["on", "off"] = Field("on", description="whether the page reloads itself")


@dataclass(frozen=True, slots=True)
class DashboardData:
    """The data of the page; None for data that could not be read."""

    status: StatusResult
    readiness: Readiness
    recent: Recent | None
    active: Sequence[OrderView] | None
    ended: Sequence[OrderView] | None
    balances: dict[str, float] | None
    measured: Measured


def dashboard_page(data: DashboardData, params: DashboardParams, now: datetime) -> str:
    """The page as of ``now``."""
    span = SPANS[params.span]
    return _ENVIRONMENT.get_template("dashboard.html.j2").render(
        params=params,
        spans=SPANS,
        refresh_seconds=REFRESH_SECONDS,
        now=now,
        style=_STYLE.markup,
        plots=None if data.recent is None else _plots(data.recent, span, now),
        is_cut=data.recent is not None and data.recent.all_fills.fills >= MAX_ROWS,
        most=MAX_ROWS,
        states=STATES,
        price_of=_price_of,
        **{name: getattr(data, name) for name in DashboardData.__slots__},
    )


def _price_of(order: OrderView) -> str:
    """The price of its fills in the unit of its pair, or else the price that it waits for, which has that unit."""
    if order.executed_price is None:
        return order.limit_price or order.stop_price or order.take_profit_price or ""
    quote = quote_of(order.token_in, order.token_out) or order.token_out
    return " ".join(price_in(quote, order.token_in, order.token_out, Fraction(order.executed_price)))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A plot with its heading, its legend, and its summary in words."""

    title: str
    svg: Markup
    legend: Sequence[PlotSeries]
    words: str


def _plots(recent: Recent, span: int, now: datetime) -> list[_Drawn]:
    times = _times(span, now)
    steps = range(STEPS - 1, -1, -1)
    filled = [recent.filled.get(ago) for ago in steps]

    def figures(name: str, number: int) -> list[float | None]:
        found = [None if each is None else getattr(each, name) for each in filled]
        return [None if each is None else each[number] for each in found]

    orders = (
        PlotSeries("filled", "good", [0 if each is None else each.fills for each in filled]),
        PlotSeries("attempt failed", "bad", [recent.failed.get(ago, 0) for ago in steps]),
    )
    latencies = (
        PlotSeries("95 percent", "second", figures("seconds", 1)),
        PlotSeries("median", "first", figures("seconds", 0)),
    )
    quotes = (
        PlotSeries("best tenth", "good-line", figures("bps", 2)),
        PlotSeries("median", "first", figures("bps", 1)),
        PlotSeries("worst tenth", "bad-line", figures("bps", 0)),
    )
    accepted, failed = sum(recent.accepted.values()), sum(recent.failed.values())
    throughput = f"{accepted} accepted, {recent.all_fills.fills} filled, {failed} attempts failed"
    step = _step_text(span // STEPS)
    return [
        _Drawn(f"Orders per {step}", bars(throughput, orders, times, _count), orders, throughput),
        _drawn("Time to fill", latencies, times, _seconds, _latency_words(recent.all_fills)),
        _drawn("Fills against quotes", quotes, times, _bps, _quote_words(recent.all_fills)),
    ]


def _drawn(
    title: str,
    series: Sequence[PlotSeries],
    times: tuple[str, str, str],
    tick_label: Callable[[float], str],
    words: str,
) -> _Drawn:
    return _Drawn(title, lines(f"{title}: {words}", series, times, tick_label), series, words)


def _latency_words(fills: FillFigures) -> str:
    if fills.seconds is None:
        return "no market order was filled"
    median, most = map(_seconds, fills.seconds)
    return f"of market orders from acceptance: median {median}, 95 percent within {most}"


def _quote_words(fills: FillFigures) -> str:
    if fills.bps is None:
        return "nothing was filled"
    worst, median, _ = map(_bps, fills.bps)
    return f"median {median}, worst tenth {worst}; below 0 a fill paid less than quoted"


def _times(span: int, now: datetime) -> tuple[str, str, str]:
    left, middle = (f"{now - timedelta(seconds=ago):%H:%M}" for ago in (span, span / 2))
    return left, middle, "now"


def _step_text(seconds: int) -> str:
    return {60: "minute"}.get(seconds, f"{seconds} s" if seconds < 60 else f"{seconds // 60} min")


def _count(value: float) -> str:
    return f"{value:g}"


def _seconds(value: float) -> str:
    if value >= 100:
        return f"{value:.0f} s"
    return f"{value:.3g} s" if value >= 1 or value == 0 else f"{value * 1000:.0f} ms"


def _bps(value: float) -> str:
    return f"{value:+.3g} bp" if abs(value) >= 0.005 else "0 bp"


def _amount(value: float) -> str:
    """A rounded amount; the exact one is in the records."""
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def _age(since: datetime, now: datetime) -> str:
    seconds = max((now - since).total_seconds(), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _clock(time: datetime) -> str:
    return f"{time.astimezone(UTC):%H:%M:%S}"


_ENVIRONMENT.filters |= {"seconds": _seconds, "bps": _bps, "amount": _amount, "age": _age, "clock": _clock}
