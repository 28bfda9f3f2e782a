"""Tabs and candles are toggled, and the display can be paused."""

import pytest

from orderctl.output.depth import Depth
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.candle_pane import CandlePane
from orderctl.tui.widgets.depth_pane import DepthPane
from orderctl.tui.widgets.fill_table import FillTable
from orderd.wire.prices import CandleChange
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Event, UnsubscribeParams
from tests.samples.orders import FILLED, history
from tests.unit.orderctl.test_depth import level
from tests.unit.orderctl.tui.app.pilots import drawn, running, table, title, words
from tests.unit.orderctl.tui.desks import CANDLES, Clock, application, at_rest, busy, order_id, traded

pytestmark = pytest.mark.asyncio
LEVELS = (level("sell", "1", "100"), level("buy", "1", "100"), level("sell", "99", "90"), level("buy", "99", "110"))


async def test_tabs_show_resting_and_ended_orders_and_fills_and_are_remembered() -> None:
    app = application(at_rest())
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("2")
        await drawn(pilot)
        assert title(pilot) == "Open 6 of 7, by age ↓"
        await pilot.press("3")
        await drawn(pilot)
        assert app.screen.query_one("#ended").has_focus
        assert not table(pilot).display
        await pilot.press("4")
        assert app.screen.query_one(FillTable).has_focus
    assert app._memory.layout.tab == "fills"


async def test_a_narrow_table_of_fills_omits_whole_columns() -> None:
    def headings() -> list[str]:
        return [str(column.label) for column in app.screen.query_one(FillTable).ordered_columns]

    app = application(traded())
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("4")
        await drawn(pilot)
        assert headings() == ["TIME", "ORDER", "SOLD", "RECEIVED", "PRICE", "QUOTE BP", "MID BP"]
        await pilot.resize_terminal(70, 24)
        await drawn(pilot)
        assert headings() == ["TIME", "ORDER", "SOLD", "RECEIVED", "PRICE"]


async def test_the_depth_fits_its_pane_after_a_resize() -> None:
    async with running(busy(), size=(200, 60)) as pilot:
        pane = pilot.app.screen.query_one(DepthPane)
        pane.depth = Depth(base="SOL", quote="USDC", mid="100", levels=LEVELS)
        await pilot.resize_terminal(180, 60)
        await drawn(pilot)
        shown = str(pane.content)
        assert "110" in shown
        assert max(map(len, shown.splitlines())) <= pane.content_size.width


async def test_candles_are_toggled_and_zoomed_with_keys() -> None:
    caller = busy()
    async with running(caller) as pilot:
        assert not caller.called(Method.PRICES)
        await pilot.press("p")
        await drawn(pilot)
        await drawn(pilot)
        assert caller.called(Method.PRICES)[-1].interval == "1m"
        assert "SOL/USDC 1m" in str(pilot.app.screen.query_one(CandlePane).border_title)
        await pilot.press("minus", "left")
        await drawn(pilot)
        assert caller.called(Method.PRICES)[-1].interval == "5m"
        assert caller.called(Method.PRICES)[-1].until is not None


async def test_only_current_candles_are_subscribed() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("p")
        while not caller.called(Method.PRICES_SUBSCRIBE):
            await drawn(pilot)
        asked = len(caller.called(Method.PRICES))
        last = CANDLES[-1]

        def changed(subscription: int, price: str) -> CandleChange:
            candle = last.model_copy(update={"close": price, "high": price})
            return CandleChange(subscription=subscription, base="SOL", quote="USDC", interval="1m", candle=candle)

        caller.send(changed(7, "123.45"), changed(6, "543.21"))
        await drawn(pilot)
        assert "  123.45  " in str(pilot.app.screen.query_one(CandlePane).border_title)
        assert len(caller.called(Method.PRICES)) == asked
        await pilot.press("left")
        while not caller.called(Method.PRICES_UNSUBSCRIBE):
            await drawn(pilot)
        assert caller.called(Method.PRICES_UNSUBSCRIBE) == [UnsubscribeParams(subscription=7)]
        assert len(caller.called(Method.PRICES_SUBSCRIBE)) == 1, "past candles must not be subscribed"


async def test_the_display_does_not_change_while_paused() -> None:
    caller, clock = busy(), Clock()
    async with running(caller, clock) as pilot:
        await pilot.press("z")
        caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(500))[0]))
        await drawn(pilot)
        assert "paused" in words(pilot, Banner)
        assert title(pilot) == "Active 20, by age ↓"
        await pilot.press("z")
        clock.advance(1)
        await drawn(pilot)
        assert title(pilot) == "Active 21, by age ↓"
