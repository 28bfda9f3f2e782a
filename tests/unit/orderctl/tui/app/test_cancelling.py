"""Cancelling an order after a confirmation."""

import pytest
from textual.widgets import Button, Static

from orderctl.tui.app import OrderctlApp
from orderctl.tui.screens.cancel import CancelScreen
from orderctl.tui.screens.orders import OrdersScreen
from orderd.domain.errors import ErrorCode
from orderd.domain.order import OrderStatus
from orderd.wire.orders import CancelResult
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Event, Snapshot
from tests.samples.orders import FILLED, WITHDRAWN, history
from tests.unit.orderctl.tui.app.pilots import drawn, lines, notices, refusal, running
from tests.unit.orderctl.tui.desks import busy, order, order_id

pytestmark = pytest.mark.asyncio


async def test_an_order_is_cancelled_after_a_confirmation() -> None:
    caller = busy()
    caller.answers[Method.ORDER_CANCEL] = CancelResult(order=order(19, WITHDRAWN, seq=99))
    async with running(caller) as pilot:
        await pilot.press("c")
        assert isinstance(pilot.app.screen, CancelScreen)
        assert pilot.app.screen.query_one("#keep", Button).has_focus
        await pilot.press("right", "enter")
        await drawn(pilot)

        assert [params.order for params in caller.called(Method.ORDER_CANCEL)] == [str(order_id(19))]
        assert OrderStatus.CANCELLED in lines(pilot, "ended")[0]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [(True, [f"{str(order_id(19))[:13]} cancelled"]), (False, [f"order {str(order_id(19))[:13]} is signed already"])],
)
async def test_a_cancel_is_notified_once(ends: bool, expected: list[str]) -> None:
    caller = busy()
    cancelled = order(19, WITHDRAWN, seq=99) if ends else order(19, FILLED[:4], cancel_requested=True)
    caller.answers[Method.ORDER_CANCEL] = CancelResult(order=cancelled)
    async with running(caller) as pilot:
        await pilot.press("c", "right", "enter")
        await drawn(pilot)
        if ends:
            caller.send(Event(subscription=1, event=history(WITHDRAWN, order_id(19))[-1]))
        app = pilot.app
        assert isinstance(app, OrderctlApp)
        app._toast()
        await drawn(pilot)

        assert [notice.partition(":")[0] for notice in notices(pilot)] == expected


async def test_an_order_is_kept_when_the_confirmation_is_closed() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("c", "escape")
        await pilot.press("c", "enter")
        await drawn(pilot)

        assert isinstance(pilot.app.screen, OrdersScreen)
        assert not caller.called(Method.ORDER_CANCEL)


async def test_an_order_that_ends_during_the_confirmation_cannot_be_cancelled() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("c")
        question = pilot.app.screen
        caller.send(Snapshot(subscription=1, order=order(19, FILLED)))
        await drawn(pilot)

        assert "now confirmed" in str(question.query_one("#state", Static).content)
        assert question.query_one("#cancel", Button).disabled


async def test_a_refused_cancel_is_reported() -> None:
    caller = busy()
    caller.answers[Method.ORDER_CANCEL] = refusal(ErrorCode.ORDER_NOT_CANCELLABLE, "it is signed")
    async with running(caller) as pilot:
        await pilot.press("c", "right", "enter")
        await drawn(pilot)

        assert any("it is signed" in notice for notice in notices(pilot))
