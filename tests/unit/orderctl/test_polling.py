"""What a live screen queries in addition to events, and how it shows the answers."""

import io
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from threading import Event

import pytest
from rich.console import Console

from orderctl.config.settings import Settings
from orderctl.display.live_data import Height, LiveData
from orderctl.display.progress import LiveProgress
from orderctl.display.progress_of_many import LiveProgressOfMany
from orderctl.display.timeline import OrderTimeline
from orderctl.trading.polling import poll_once, polling
from orderd.client.connection import Client
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import AnyFact, FilledPart, Submitted
from orderd.domain.order import OrderStatus
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import OrderView
from orderd.wire.rpc import Method
from tests.samples.orders import FILLED, LIMIT, OCO, QUOTE, STOP, TAKE_PROFIT, TRAILING, TWAP, history
from tests.unit.orderctl.daemon import ON_SIMNET, FakeDaemon
from tests.unit.orderctl.tui.desks import order, order_id

AT_101 = {("SOL", "USDC"): Fraction(101)}


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())


def lines(view: object, width: int = 100) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(view)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def lines_of(facts: tuple[AnyFact, ...], data: LiveData, number: int = 1, width: int = 100) -> list[str]:
    progress = LiveProgress(Settings(), data)
    progress.begin(OrderTimeline(order(number, facts), history(facts, order_id(number))))
    with progress:
        return lines(progress.render(), width)


def family(parent: OrderView, *children: OrderView) -> LiveData:
    detail = OrderDetail(order=parent, events=(), attempts=(), failures=(), children=children)
    return LiveData(AT_101.copy(), {parent.id: detail})


# Display


def test_a_resting_order_shows_its_distance_to_the_market() -> None:
    assert lines_of((LIMIT,), LiveData(AT_101))[2] == f"   {'━' * 15}{'─' * 9} 3.96%  limit ≥ 105"
    assert lines_of((LIMIT,), LiveData())[2] == "   then it is filled at this price or a better one"


def test_a_signed_order_counts_down_to_its_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    submitted, (last,) = FILLED[:4], [each for each in FILLED if isinstance(each, Submitted)]
    monkeypatch.setattr(time, "monotonic", lambda: 104.0)
    first = Height(last.last_valid_block_height - 100, 100.0)
    assert lines_of(submitted, LiveData(height=first))[-1] == "   expires in 100 blocks, unless it lands"
    later = first.after(last.last_valid_block_height - 90, 104.0)
    assert lines_of(submitted, LiveData(height=later))[-1] == "   expires in 90 blocks, about 36.0 s, unless it lands"
    assert later.after(last.last_valid_block_height - 90, 105.0) == later, "the height did not change"
    assert later.until(last.last_valid_block_height, 1_000.0) == "0 blocks, about 0 ms"
    assert not any("unless it lands" in line for line in lines_of(FILLED, LiveData(height=later)))


def test_an_oco_shows_both_distances_and_its_children() -> None:
    ends = (order(2, (TAKE_PROFIT,)), order(3, (STOP,)))
    shown = lines_of((OCO,), family(order(1, (OCO,)), *ends))
    assert [line.split()[1:] for line in shown if line.startswith("   ") and "%" in line] == [
        ["18.8%", "take-profit", "≥", "120"],
        ["5.94%", "stop", "≤", "95"],
    ]
    assert [line.split()[-4:] for line in shown[-2:]] == [
        ["stop", "≤", "95", "USDC/SOL"],
        ["take-profit", "≥", "120", "USDC/SOL"],
    ]


def test_a_twap_shows_its_fills_its_next_and_its_newest_executions() -> None:
    twap = order(1, (TWAP,), filled_amount_in="0.6", next_at=datetime.now(UTC) + timedelta(seconds=61))
    parts = [order(number, FILLED) for number in range(2, 60)]
    shown = lines_of((TWAP,), family(twap, *parts, order(60, FILLED[:2])))
    assert "0.6 of 1.5 SOL sold, next in 1:0" in shown[2]
    assert " 40.0%" in shown[2]
    assert "routing" in [line for line in shown if line.startswith("0199")][1]
    assert shown[-1].endswith("more have ended")


def test_what_an_order_has_sold_is_known_from_its_events_before_it_is_read_again() -> None:
    part = FilledPart(amount_in="0.9", amount_out="91", executed_price="101.1", remaining="0.6")
    timeline = OrderTimeline(order(1, (TWAP,)), history((TWAP, part), order_id(1)))
    data = family(order(1, (TWAP,), filled_amount_in="0.6"))
    assert data.order_of(timeline).filled_amount_in == "0.9"


def test_executions_on_a_narrow_terminal_leave_out_columns_and_cut_no_number() -> None:
    data = family(order(1, (TWAP,)), order(2, FILLED))
    assert lines_of((TWAP,), data, width=40)[-1].split() == ["0199d3a0-0002", "1.5", "SOL", "152.310211", "USDC"]


def test_an_answer_about_an_order_never_overrides_newer_events() -> None:
    timeline = OrderTimeline(order(1, (LIMIT,)), history((LIMIT,), order_id(1)))
    data = family(order(1, (LIMIT,), best_amount_out="150"))
    assert data.order_of(timeline).best_amount_out == "150"
    ended = OrderTimeline(order(1, (LIMIT,)), history((LIMIT, *FILLED[1:2]), order_id(1)))
    assert (data.order_of(ended).best_amount_out, data.order_of(ended).status) == (None, OrderStatus.ROUTING)


def test_many_orders_show_distances_with_children_below_parents() -> None:
    progress = LiveProgressOfMany(Settings(), LiveData(AT_101))
    end = STOP.model_copy(update={"parent_id": order_id(1)})
    for number, facts in ((3, (end,)), (2, (LIMIT,)), (1, (OCO,))):
        progress.begin(OrderTimeline(order(number, facts), history(facts, order_id(number))))
    rows = lines(progress.render())[1:4]
    assert [row.split("  ")[0] for row in rows] == ["0199d3a0-0001", "└ 0199d3a0-00", "0199d3a0-0002"]
    assert ["5.94%" in rows[0], "stop ≤ 95 USDC" in rows[1], "3.96%" in rows[2]] == [True, True, True]


# Queries


def test_prices_families_and_trailing_stops_are_queried(daemon: FakeDaemon) -> None:
    daemon.answers(Method.QUOTE, QUOTE)
    daemon.answers(Method.ORDER_GET, OrderDetail(order=order(1, (OCO,)), events=(), attempts=(), failures=()))
    orders = [
        order(number, (accepted,)) for number, accepted in enumerate((OCO, LIMIT, TRAILING, TWAP, FILLED[0]), start=1)
    ]
    found = LiveData()
    with Client(Settings(url=daemon.url)) as client:
        poll_once(client, orders, found)
    asked = [params["order"] for method, params in daemon.calls if method == Method.ORDER_GET]
    assert asked == [str(order_id(number)) for number in (1, 3, 4)]
    assert [params["amount_in"] for method, params in daemon.calls if method == Method.QUOTE] == ["1.5"]
    assert found.market == {("SOL", "USDC"): Fraction("101.540141")}


def test_an_unavailable_price_is_removed(daemon: FakeDaemon) -> None:
    daemon.answers(Method.QUOTE, OrderdError(ErrorCode.ROUTE_NOT_FOUND, "no pool"))
    found = LiveData(AT_101.copy())
    with Client(Settings(url=daemon.url)) as client:
        poll_once(client, [order(1, (LIMIT,))], found)
    assert found.market == {}


def test_queries_repeat_until_the_end(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderctl.trading.polling.PAUSE_SECONDS", 0)
    monkeypatch.setattr("orderctl.trading.polling.BEFORE_SECONDS", 0)
    daemon.answers(Method.QUOTE, QUOTE)
    rounds, was_asked = [0], Event()

    def orders() -> list[OrderView]:
        rounds[0] += 1
        if rounds[0] > 3:
            was_asked.set()
        return [] if rounds[0] == 1 else [order(1, (LIMIT,))]

    found = LiveData()
    with polling(Settings(url=daemon.url), orders, found):
        assert was_asked.wait(10)
    assert found.market == {("SOL", "USDC"): Fraction("101.540141")}


def test_an_unavailable_daemon_does_not_end_the_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderctl.trading.polling.PAUSE_SECONDS", 0)
    rounds, was_asked = [0], Event()

    def orders() -> list[OrderView]:
        rounds[0] += 1
        if rounds[0] > 2:
            was_asked.set()
        return [order(1, (LIMIT,))]

    with polling(Settings(url="ws://127.0.0.1:1/"), orders, LiveData()):
        assert was_asked.wait(10)


def test_the_height_of_the_chain_is_queried_for_signed_orders(daemon: FakeDaemon) -> None:
    found = LiveData()
    heights: list[int | None] = []
    with closing(Client(Settings(url=daemon.url))) as client:
        for asked, height in ((order(2, FILLED[:1]), 900), (order(1, FILLED[:4]), 901), (order(1, FILLED[:4]), None)):
            daemon.answers(Method.STATUS, ON_SIMNET.model_copy(update={"block_height": height}))
            poll_once(client, [asked], found)
            heights.append(None if found.height is None else found.height.blocks)
    assert heights == [None, 901, 901], "unsigned, then known; an older daemon does not report it"
