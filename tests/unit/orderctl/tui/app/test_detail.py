"""The details of the order under the cursor."""

import pytest

from orderctl.tui.screens.orders import OrdersScreen
from orderctl.tui.widgets.order_panel import OrderPanel
from orderd.domain.errors import ErrorCode
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Snapshot
from tests.samples.orders import FILLED, detail_of
from tests.unit.orderctl.tui.app.pilots import drawn, panel_text, refusal, running
from tests.unit.orderctl.tui.desks import busy, detail, order, order_id

pytestmark = pytest.mark.asyncio


async def test_details_are_refreshed_by_events_of_the_order() -> None:
    caller = busy()
    caller.answers[Method.ORDER_GET] = detail_of(FILLED[:4])
    async with running(caller) as pilot:
        await pilot.press("enter")
        await drawn(pilot)
        assert len(caller.called(Method.ORDER_GET)) == 1
        caller.answers[Method.ORDER_GET] = detail_of(FILLED)
        caller.send(Snapshot(subscription=1, order=order(19, FILLED)))
        await drawn(pilot)
        assert len(caller.called(Method.ORDER_GET)) == 2

        await pilot.press("escape")
        assert isinstance(pilot.app.screen, OrdersScreen)


async def test_a_wide_terminal_shows_details_besides_the_table() -> None:
    caller = busy()
    async with running(caller, size=(120, 40)) as pilot:
        panel = pilot.app.screen.query_one(OrderPanel)
        assert panel.border_title == f"Order {str(order_id(19))[:13]}"
        assert "routed" in panel_text(panel)
        await pilot.press("down", "down")
        await drawn(pilot)
        assert panel.border_title == f"Order {str(order_id(17))[:13]}"
        assert caller.called(Method.ORDER_GET)[-1].order == str(order_id(17))

        await pilot.resize_terminal(80, 24)
        await pilot.press("down")
        await drawn(pilot)
        assert not panel.display
        assert caller.called(Method.ORDER_GET)[-1].order == str(order_id(17))


async def test_an_unreadable_order_shows_the_reason_and_is_retried() -> None:
    caller = busy()
    caller.answers[Method.ORDER_GET] = refusal(ErrorCode.SERVICE_UNAVAILABLE, "the database is away")
    async with running(caller) as pilot:
        await pilot.press("enter")
        await drawn(pilot)
        panel = pilot.app.screen.query_one(OrderPanel)
        assert "the database is away" in panel_text(panel)
        caller.answers[Method.ORDER_GET] = detail
        await drawn(pilot)
        assert "routed" in panel_text(panel)


async def test_details_that_fit_leave_the_layout_and_longer_ones_can_be_scrolled() -> None:
    caller = busy()
    async with running(caller, size=(120, 60)) as pilot:
        screen = pilot.app.screen
        panel = screen.query_one(OrderPanel)
        layouts: list[object] = []
        screen.screen_layout_refresh_signal.subscribe(panel, layouts.append)
        await pilot.press("down", "down")
        await drawn(pilot)
        assert panel.border_title == f"Order {str(order_id(17))[:13]}"
        assert not layouts

        await pilot.resize_terminal(120, 26)
        await pilot.press("down")
        await drawn(pilot)
        assert panel.max_scroll_y > 0
        await pilot.resize_terminal(120, 60)
        await pilot.press("down")
        await drawn(pilot)
        assert panel.max_scroll_y == 0
