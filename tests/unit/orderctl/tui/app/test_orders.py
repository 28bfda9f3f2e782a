"""The tables of orders: cursor, filters and sorting."""

import pytest

from orderctl.tui.screens.detail import DetailScreen
from orderd.wire.subscriptions import Event, Snapshot
from tests.samples.orders import FILLED, history
from tests.unit.orderctl.tui.app.pilots import drawn, lines, running, table, title
from tests.unit.orderctl.tui.desks import ScriptedCaller, busy, order, order_id, snapshots, twenty

pytestmark = pytest.mark.asyncio


async def test_the_cursor_stays_on_its_order_while_others_change() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("down", "down")
        chosen = table(pilot).selected
        assert chosen == order_id(17)
        caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(500))[0]))
        caller.send(Snapshot(subscription=1, order=order(18, FILLED)))
        await drawn(pilot)

        assert table(pilot).selected == chosen


async def test_new_orders_are_visible_at_the_top() -> None:
    caller = busy()
    async with running(caller) as pilot:
        for number in range(500, 520):
            caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(number))[0]))
            caller.send(Snapshot(subscription=1, order=order(number - 400, FILLED)))
        await drawn(pilot)
        assert table(pilot).scroll_offset.y == table(pilot, "ended").scroll_offset.y == 0
        assert lines(pilot, "ended")[0].startswith(str(order_id(119))[:13])
        assert lines(pilot)[0].startswith(str(table(pilot).selected)[:13])

        await pilot.press("tab")
        assert table(pilot, "ended").selected == order_id(119)


async def test_the_scroll_position_stays() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("end")
        before = lines(pilot)
        for number in range(500, 520):
            caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(number))[0]))
        await drawn(pilot)
        assert lines(pilot) == before


async def test_the_cursor_moves_to_the_next_order_when_its_order_ends() -> None:
    caller = busy()
    async with running(caller) as pilot:
        assert table(pilot).selected == order_id(19)
        caller.send(Snapshot(subscription=1, order=order(19, FILLED)))
        await drawn(pilot)

        assert table(pilot).selected == order_id(18)


@pytest.mark.parametrize(
    ("keys", "number"),
    [(["down"], 18), (["j", "j", "k"], 18), (["end"], 0), (["G", "g"], 19), (["pagedown"], 12), (["up"], 19)],
)
async def test_the_cursor_moves(keys: list[str], number: int) -> None:
    async with running(busy()) as pilot:
        await pilot.press(*keys)
        assert table(pilot).selected == order_id(number)
        assert any(line.startswith(str(order_id(number))[:13]) for line in lines(pilot))


async def test_a_filter_shows_matching_orders_while_typed() -> None:
    async with running(busy()) as pilot:
        await pilot.press("slash", *"0.125 rout")
        await drawn(pilot)
        assert title(pilot) == "Active 2 of 20, by age ↓"
        assert {line.split()[1] for line in lines(pilot)} == {"routing"}

        await pilot.press("enter", "escape")
        await drawn(pilot)
        assert title(pilot) == "Active 20, by age ↓"


async def test_sorting_cycles_through_columns_and_directions() -> None:
    async with running(busy()) as pilot:
        await pilot.press("s")
        assert title(pilot) == "Active 20, by id ↑"
        await pilot.press("s")
        assert title(pilot) == "Active 20, by status ↑"
        assert [line.split()[1] for line in lines(pilot)][:4] == ["building"] * 4
        await pilot.press("S")
        assert [line.split()[1] for line in lines(pilot)][:4] == ["submitted"] * 4


async def test_a_click_on_a_header_sorts_and_a_double_click_opens_an_order() -> None:
    async with running(busy()) as pilot:
        await pilot.click("#active", offset=(3, 1))
        await drawn(pilot)
        assert title(pilot) == "Active 20, by id ↑"
        await pilot.click("#active", offset=(3, 3))
        assert table(pilot).selected == order_id(1)
        await pilot.double_click("#active", offset=(3, 3))
        await drawn(pilot)
        assert isinstance(pilot.app.screen, DetailScreen)


async def test_an_empty_table_shows_the_reason() -> None:
    caller = ScriptedCaller()
    async with running(caller) as pilot:
        assert (lines(pilot), lines(pilot, "ended")) == (["not known yet"], ["not known yet"])
        caller.send(*snapshots([]))
        await drawn(pilot)
        assert (lines(pilot), lines(pilot, "ended")) == (["none; n makes a new one"], ["none yet"])
        caller.send(*snapshots(twenty()))
        await pilot.press("slash", *"nonsense", "enter")
        await drawn(pilot)
        assert lines(pilot) == ["none with these words; esc drops the filter"]


async def test_a_narrow_table_keeps_every_token_and_every_line_within_its_width() -> None:
    long = order(40, FILLED[:3], amount_in="123456789.123456789", token_in="CHILLGUY")
    async with running(ScriptedCaller(*snapshots([long])), size=(70, 24)) as pilot:
        (line,) = lines(pilot)
        assert "… CHILLGUY" in line
        assert table(pilot).render_line(1).cell_length <= 70
