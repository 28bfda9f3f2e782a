"""Expanding and collapsing parents and their children."""

import pytest
from textual.pilot import Pilot

from orderd.client.errors import ClientError
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Event
from tests.samples.orders import FILLED, history
from tests.unit.orderctl.tui.app.pilots import drawn, lines, running, table, title
from tests.unit.orderctl.tui.desks import families, order_id

pytestmark = pytest.mark.asyncio


def families_of(pilot: Pilot[ClientError]) -> list[str]:
    """The number of the order in each line, after the line's marker."""
    marks = [line[: line.index("0199")] for line in lines(pilot)]
    return [f"{mark}{int(str(each.id)[9:13], 16)}" for mark, each in zip(marks, table(pilot)._orders, strict=True)]


async def test_a_family_is_one_line_until_expanded() -> None:
    async with running(families()) as pilot:
        assert title(pilot) == "Active 3, by age ↓"
        assert families_of(pilot) == ["▸ 2", "▸ 1", "0"]
        assert "40.0%" in lines(pilot)[0]
        assert "→ USDC in 19 s" in lines(pilot)[0]

        await pilot.press("down", "space")
        await drawn(pilot)
        assert families_of(pilot) == ["▸ 2", "▾ 1", "└ 4", "└ 3", "0"]
        await pilot.press("down", "down", "space")
        await drawn(pilot)
        assert families_of(pilot) == ["▸ 2", "▸ 1", "0"]
        assert table(pilot).selected == order_id(1), (
            "of a child the family is folded, and the cursor goes to its parent"
        )


async def test_ended_children_are_queried_when_a_family_is_expanded() -> None:
    caller = families()
    async with running(caller, size=(80, 30)) as pilot:
        await pilot.press("space")
        await drawn(pilot)
        assert [each.order for each in caller.called(Method.ORDER_GET)] == [str(order_id(2))]
        assert [line.split()[2] for line in lines(pilot)[:4]] == ["open", "building", "confirmed", "confirmed"]
        assert len(lines(pilot, "ended")) == 3, "ended children are in the table of their parent"


async def test_a_click_on_the_marker_expands_a_family() -> None:
    async with running(families()) as pilot:
        await pilot.click("#active", offset=(1, 3))
        await drawn(pilot)
        assert families_of(pilot)[1:4] == ["▾ 1", "└ 4", "└ 3"]
        assert table(pilot).selected == order_id(1)
        await pilot.click("#active", offset=(6, 4))
        await pilot.press("space")
        await drawn(pilot)
        assert len(families_of(pilot)) == 3


async def test_an_order_without_children_cannot_be_expanded() -> None:
    caller = families()
    async with running(caller) as pilot:
        await pilot.press("end", "space")
        await drawn(pilot)
        assert len(families_of(pilot)) == 3
        assert caller.called(Method.ORDER_GET) == []


async def test_a_family_is_updated_live() -> None:
    caller = families()
    async with running(caller, size=(80, 30)) as pilot:
        await pilot.press("space")
        await drawn(pilot)
        part = FILLED[0].model_copy(update={"amount_in": "0.3", "parent_id": order_id(2)})
        for event in history((part, *FILLED[1:]), order_id(7))[3:]:
            caller.send(Event(subscription=1, event=event))
        caller.send(Event(subscription=1, event=history((part,), order_id(8))[0]))
        await drawn(pilot)
        assert sorted(line.split()[2] for line in lines(pilot)[1:5]) == ["confirmed"] * 3 + ["pending"]
        assert "└ 8" in families_of(pilot)


async def test_a_filter_finds_a_family_by_any_of_its_orders() -> None:
    async with running(families()) as pilot:
        await pilot.press("slash", *"stop", "enter")
        await drawn(pilot)
        assert title(pilot) == "Active 1 of 3, by age ↓"
        assert families_of(pilot) == ["▸ 1", "└ 4"]
        await pilot.press("escape", "s", "space")
        await drawn(pilot)
        assert families_of(pilot)[:1] == ["0"]
