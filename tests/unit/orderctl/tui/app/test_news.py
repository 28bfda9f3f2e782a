"""Events update the tables, across interruptions of the connection."""

import pytest

from orderctl.tui.app import OrderctlApp
from orderd.client.news import Closed, Opened
from orderd.wire.orders import ListResult
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Event, Ready, Snapshot
from tests.samples.orders import FILLED, history
from tests.unit.orderctl.tui.app.pilots import drawn, lines, running, table, title
from tests.unit.orderctl.tui.desks import ScriptedCaller, busy, order, order_id, snapshots

pytestmark = pytest.mark.asyncio


async def test_active_orders_are_above_ended_ones() -> None:
    async with running(busy()) as pilot:
        assert title(pilot) == "Active 20, by age ↓"
        assert lines(pilot)[0].startswith(str(order_id(19))[:13])
        assert [line.split()[1] for line in lines(pilot, "ended")] == ["cancelled", "failed", "confirmed"]


async def test_an_order_is_updated_and_moves_to_the_ended_ones() -> None:
    caller = ScriptedCaller(*snapshots([]))
    async with running(caller) as pilot:
        for event in history(FILLED)[:3]:
            caller.send(Event(subscription=1, event=event))
        await drawn(pilot)
        assert "building   ━━━━━━────" in lines(pilot)[0]

        for event in history(FILLED)[3:]:
            caller.send(Event(subscription=1, event=event))
        await drawn(pilot)
        assert lines(pilot) == ["none; n makes a new one"]
        assert "152.310211 USDC" in lines(pilot, "ended")[0]


async def test_events_are_drawn_at_most_ten_times_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = ScriptedCaller(*snapshots([]))
    async with running(caller) as pilot:
        shown: list[int] = []
        monkeypatch.setattr(table(pilot), "show", lambda orders, *_, **__: shown.append(len(orders)))
        for number in range(500):
            caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(number))[0]))
        app = pilot.app
        assert isinstance(app, OrderctlApp)
        app.draw()
        app.draw()

        assert shown == [500]


async def test_orders_that_ended_while_disconnected_are_among_the_ended_ones() -> None:
    caller = ScriptedCaller(*snapshots([order(1, FILLED[:2]), order(2, FILLED[:2])]))
    async with running(caller) as pilot:
        caller.answers[Method.ORDERS_LIST] = ListResult(orders=(order(1, FILLED),), next_cursor=None)
        caller.send(Closed("the daemon restarts", 1), Opened())
        caller.send(Snapshot(subscription=1, order=order(2, FILLED[:3])), Ready(subscription=1, orders=1))
        await drawn(pilot)

        assert [line.split()[1] for line in lines(pilot)] == ["building"]
        assert [line.split()[1] for line in lines(pilot, "ended")] == ["confirmed"]


async def test_orders_unknown_to_the_daemon_are_dropped() -> None:
    caller = ScriptedCaller(*snapshots([order(1, FILLED[:2])]))
    async with running(caller) as pilot:
        caller.send(Opened(), Ready(subscription=1, orders=0))
        await drawn(pilot)

        assert lines(pilot) == ["none; n makes a new one"]
