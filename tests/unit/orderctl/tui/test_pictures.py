"""Snapshots of the screens at the smallest supported size and at a large one."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select

from orderctl.tui import app, requests
from orderctl.tui.screens import new_order
from orderctl.tui.widgets.depth_pane import DepthPane
from orderd.client.errors import ClientError, RefusedError
from orderd.client.news import Closed
from orderd.domain.errors import OrderdError
from orderd.domain.order import OrderKind
from orderd.gateway.docs.examples import POOLS
from orderd.wire.message import Message
from orderd.wire.problem import Problem
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.rpc import Method
from tests.samples.orders import QUOTE
from tests.unit.orderctl.test_depth import market
from tests.unit.orderctl.tui.desks import (
    Clock,
    ScriptedCaller,
    application,
    at_rest,
    busy,
    families,
    order_id,
    poll_once,
    snapshots,
    traded,
)

Compare = Callable[..., bool]
Act = Callable[[Pilot[object]], Awaitable[None]]

ALL_SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture(autouse=True)
def _at_a_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is queried twice or moves, ids are fixed, and answers arrive at once."""
    poll_once(monkeypatch, read_seconds=3600)
    monkeypatch.setattr(new_order, "uuid7", lambda: order_id(99))
    monkeypatch.setattr(requests, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(Input, "cursor_blink", False)  # also in fields that are shown later


async def settled(pilot: Pilot[object]) -> None:
    """Wait until all answers have arrived and are drawn."""
    await pilot.pause()
    assert isinstance(pilot.app, app.OrderctlApp)
    pilot.app.draw()
    await pilot.pause()


async def quoted(pilot: Pilot[object]) -> None:
    """Wait until the quote of the current terms is drawn: until then the form's button is disabled.

    Each field that has been set disables it again, so it is looked at when everything has arrived.
    """
    await settled(pilot)
    async with asyncio.timeout(60):
        while pilot.app.screen.query_one("#send", Button).disabled:
            await pilot.pause(0.01)
            await settled(pilot)


def after(*keys: str) -> Act:
    async def act(pilot: Pilot[object]) -> None:
        await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)

    return act


@SIZES
def test_no_orders(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(application(ScriptedCaller(*snapshots([]))), terminal_size=size, run_before=settled)


@SIZES
def test_twenty_active_orders(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(application(busy()), terminal_size=size, run_before=settled)


@pytest.mark.parametrize("size", [(60, 16), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_less_and_more_room(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(application(at_rest()), terminal_size=size, run_before=settled)


def test_candles_on_a_small_screen(snap_compare: Compare) -> None:
    assert snap_compare(application(at_rest()), terminal_size=(80, 24), run_before=after("p"))


def test_fills(snap_compare: Compare) -> None:
    assert snap_compare(application(traded()), terminal_size=(120, 40), run_before=after("4"))


@ALL_SIZES
@pytest.mark.parametrize("key", ["P", "V", "colon"], ids=["profit", "venues", "command"])
def test_the_other_places(snap_compare: Compare, size: tuple[int, int], key: str) -> None:
    assert snap_compare(application(traded()), terminal_size=size, run_before=after(key))


@ALL_SIZES
def test_depth(snap_compare: Compare, size: tuple[int, int]) -> None:
    def quoted(params: Message) -> QuoteResult | ClientError:
        answer = market(params.model_dump(exclude_none=True))
        return RefusedError(Problem.of(answer)) if isinstance(answer, OrderdError) else answer

    async def act(pilot: Pilot[object]) -> None:
        await after("D", "r")(pilot)
        async with asyncio.timeout(20):
            while pilot.app.screen.query_one(DepthPane).depth is None:
                await pilot.pause(0.01)
        await settled(pilot)

    caller = busy()
    caller.answers[Method.QUOTE] = quoted
    caller.answers[Method.POOLS] = POOLS
    assert snap_compare(application(caller), terminal_size=size, run_before=act)


@SIZES
def test_the_detail_of_an_order(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(application(busy()), terminal_size=size, run_before=after("enter"))


@SIZES
def test_a_new_order_with_its_quote(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def act(pilot: Pilot[object]) -> None:
        await after("n", *"1.5")(pilot)
        await quoted(pilot)

    assert snap_compare(application(busy()), terminal_size=size, run_before=act)


@SIZES
def test_orders_that_rest(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(application(at_rest()), terminal_size=size, run_before=after("down"))


@SIZES
def test_families(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def act(pilot: Pilot[object]) -> None:
        await after("space")(pilot)
        await after(*["down"] * 4, "space")(pilot)

    assert snap_compare(application(families()), terminal_size=size, run_before=act)


@SIZES
def test_a_new_order_that_rests(snap_compare: Compare, size: tuple[int, int]) -> None:
    caller = at_rest()
    quote = {"type": OrderKind.STOP_LIMIT, "stop_price": "95", "limit_price": "94.5", "valid_for": "2h"}
    caller.answers[Method.QUOTE] = QUOTE.model_copy(update=quote)

    async def act(pilot: Pilot[object]) -> None:
        await after("down", "n", *"1.5")(pilot)
        pilot.app.screen.query_one("#kind", Select).value = OrderKind.STOP_LIMIT
        await settled(pilot)
        for name, typed in (("stop-price", "95"), ("limit-price", "94.5"), ("valid", "2h")):
            pilot.app.screen.query_one(f"#{name}", Input).value = typed
        while not any(isinstance(asked, QuoteParams) and asked.valid_for == "2h" for _, asked in caller.calls):
            await pilot.pause()
        await quoted(pilot)

    assert snap_compare(application(caller), terminal_size=size, run_before=act)


@SIZES
def test_a_new_order_in_executions(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def act(pilot: Pilot[object]) -> None:
        await after("n", *"1.5")(pilot)
        pilot.app.screen.query_one("#kind", Select).value = "twap"
        await settled(pilot)
        for name, typed in (("slices", "5"), ("over", "5m"), ("jitter", "20"), ("then-stop", "115")):
            pilot.app.screen.query_one(f"#{name}", Input).value = typed
        await quoted(pilot)

    caller = busy()
    given = {"type": OrderKind.TWAP, "slices": 5, "every": "1m", "jitter": "20", "then_stop": "115", "part_in": "0.3"}
    chosen = QUOTE.chosen.model_copy(update={"amount_out": "30.4"})
    caller.answers[Method.QUOTE] = QUOTE.model_copy(update={**given, "chosen": chosen})
    assert snap_compare(application(caller), terminal_size=size, run_before=act)


@SIZES
def test_a_new_order_with_two_ends(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def act(pilot: Pilot[object]) -> None:
        await after("n", *"1.5")(pilot)
        pilot.app.screen.query_one("#kind", Select).value = "oco"
        await settled(pilot)
        for name, typed in (("take-profit-price", "120"), ("stop-price", "95")):
            pilot.app.screen.query_one(f"#{name}", Input).value = typed
        await quoted(pilot)

    caller = busy()
    given = {"type": OrderKind.OCO, "take_profit_price": "120", "stop_price": "95"}
    caller.answers[Method.QUOTE] = QUOTE.model_copy(update=given)
    assert snap_compare(application(caller), terminal_size=size, run_before=act)


@SIZES
def test_the_question_before_a_cancellation(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(application(busy()), terminal_size=size, run_before=after("c"))


@SIZES
def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(application(busy()), terminal_size=size, run_before=after("question_mark"))


@SIZES
def test_disconnected(snap_compare: Compare, size: tuple[int, int]) -> None:
    caller = busy()

    async def disconnect(pilot: Pilot[object]) -> None:
        await settled(pilot)
        caller.send(Closed("the daemon restarts", 3))
        await settled(pilot)

    assert snap_compare(application(caller), terminal_size=size, run_before=disconnect)


@SIZES
def test_stale(snap_compare: Compare, size: tuple[int, int]) -> None:
    clock = Clock()

    async def fall_silent(pilot: Pilot[object]) -> None:
        await settled(pilot)
        clock.advance(60)
        await settled(pilot)

    assert snap_compare(application(busy(), clock), terminal_size=size, run_before=fall_silent)
