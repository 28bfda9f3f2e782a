"""Key bindings, and actions that no single key triggers."""

import io
import threading
from collections.abc import Sequence

import pytest
from rich.console import Console
from textual.widgets import Input

from orderctl.tui.app import OrderctlApp
from orderctl.tui.desk import Desk
from orderctl.tui.screens.confirm import ConfirmScreen
from orderctl.tui.screens.help import HelpScreen
from orderctl.tui.screens.orders import OrdersScreen
from orderctl.tui.screens.venues import VenuesScreen
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.key_line import KeyLine
from orderd.domain.order import OrderKind
from orderd.wire.rpc import Method
from tests.samples.orders import FILLED
from tests.unit.orderctl.tui.app.pilots import drawn, notices, running, table, title, words
from tests.unit.orderctl.tui.desks import Clock, ScriptedCaller, at_rest, busy, order, order_id, snapshots

pytestmark = pytest.mark.asyncio


async def test_every_key_is_in_the_footer_of_the_smallest_screen() -> None:
    async with running(busy()) as pilot:
        line = pilot.app.screen.query_one(KeyLine)
        assert line.render().cell_length <= 80
        keys = [pilot.app.get_key_display(binding) for binding, _ in line.keys]
        assert keys == ["⏎", "␣", "s", "S", "/", "n", "c", "y", "Y", ":", "?", "^p", "q"]


async def test_a_click_on_a_key_of_the_footer_presses_it() -> None:
    async with running(busy()) as pilot:
        line = pilot.app.screen.query_one(KeyLine)
        await pilot.click(KeyLine, offset=(line.render().plain.index("?"), 0))
        assert isinstance(pilot.app.screen, HelpScreen)


async def test_ids_and_signatures_are_copied_to_the_clipboard() -> None:
    caller = ScriptedCaller(*snapshots([order(1, FILLED[:4], signature="5Xk3")]))
    async with running(caller) as pilot:
        await pilot.press("y")
        assert pilot.app.clipboard == str(order_id(1))
        await pilot.press("Y")
        assert pilot.app.clipboard == "5Xk3"


async def test_a_narrow_footer_leaves_out_whole_keys_and_keeps_the_help() -> None:
    async with running(busy(), size=(40, 16)) as pilot:
        assert pilot.app.screen.query_one(KeyLine).render().plain == " ⏎␣ Open sS Sort / Filter n New ? Help"


async def test_help_lists_every_key_of_the_screen() -> None:
    async with running(busy()) as pilot:
        bindings = pilot.app.screen.active_bindings
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        with pilot.app.console.capture() as capture:
            pilot.app.console.print(pilot.app.screen._table())
        printed = capture.get()
        assert "+ =" in printed
        for _, binding, _, _ in bindings.values():
            if binding.show:
                assert binding.tooltip in printed


async def test_narrow_help_wraps_what_the_keys_do_and_cuts_no_key() -> None:
    async with running(busy()) as pilot:
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        console = Console(width=34, record=True, file=io.StringIO())
        console.print(pilot.app.screen._table())
        printed = console.export_text()
        assert "…" not in printed
        assert "\ntab " in printed


async def test_every_command_is_in_the_palette() -> None:
    async with running(busy()) as pilot:
        commands = {command.title: command for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"New", "Cancel", "Sort", "Filter", "Copy id", "Help", "Quit", "Theme"} <= set(commands)
        titles = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        assert len(titles) == len(commands), "a command is listed twice"
        await commands["Sort"].callback()
        assert title(pilot) == "Active 20, by id ↑"


@pytest.mark.parametrize("key", ["n", "c", "enter", "y", "s", "space", "x", "d", "delete", "ctrl+s", "1"])
async def test_no_single_key_sends_or_cancels_an_order(key: str) -> None:
    caller = busy()
    async with running(caller) as pilot:
        for _ in range(4):
            await pilot.press(key)
        await drawn(pilot)
        assert not caller.called(Method.ORDER_SUBMIT)
        assert not caller.called(Method.ORDER_CANCEL)


async def test_read_only_mode_has_no_trading_keys_or_commands() -> None:
    caller = busy()
    async with running(caller, read_only=True) as pilot:
        assert "read only" in words(pilot, Banner)
        keys = {binding.action for _, binding, _, _ in pilot.app.screen.active_bindings.values()}
        assert not keys & {"new_order", "amend", "cancel_order"}
        await pilot.press("n", "a", "c")
        assert isinstance(pilot.app.screen, OrdersScreen)
        assert not {"New", "Cancel"} & {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}


async def test_a_trading_command_needs_a_confirmation_and_a_screen_name_opens_it() -> None:
    async with running(busy()) as pilot:
        await pilot.press("colon", *"submit", "space", *"SOL", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "leave"
        await pilot.press("enter", "colon", *"venues", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, VenuesScreen)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, OrdersScreen)


async def test_amending_begins_a_command_with_the_present_prices() -> None:
    async with running(at_rest()) as pilot:
        await pilot.press("2")
        await drawn(pilot)
        assert isinstance(pilot.app, OrderctlApp)
        order = next(each for each in pilot.app.desk.book.resting.values() if each.kind is OrderKind.STOP_LIMIT)
        table(pilot).select(order.id)
        await pilot.press("a")
        await pilot.pause()
        line = pilot.app.screen.query_one("#line", Input)
        assert line.value == f"amend {order.id} --limit {order.limit_price} --stop {order.stop_price}"
        await pilot.press("backspace", "7", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert pilot.app.screen._words[-1] == f"{order.stop_price}"[:-1] + "7"


async def test_only_resting_orders_can_be_amended() -> None:
    async with running(busy()) as pilot:
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(pilot.app.screen, OrdersScreen)
        assert notices(pilot) == ["no resting order is selected"]


async def test_read_only_mode_refuses_trading_commands() -> None:
    async with running(busy(), read_only=True) as pilot:
        await pilot.press("colon", *"cancel", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, OrdersScreen)
        assert notices(pilot) == ["read-only: start orderctl tui without --read-only"]


async def test_a_tab_before_the_completions_keeps_the_typed_text() -> None:
    found = threading.Event()

    def complete(before: Sequence[str], present: str) -> list[tuple[str, str]]:
        if before:
            found.wait(5)
        return [("0199d3a0-0001", "an order")] if before else [("amend", "Change."), ("list", "List.")]

    app = OrderctlApp(Desk("ws://127.0.0.1:3000/", clock=Clock()), busy(), complete=complete)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon", *"amend 01", "tab")
        line = app.screen.query_one("#line", Input)
        assert line.value == "amend 01"
        found.set()
        completing = [each for each in app.workers if each.name == "_complete_line" and each.is_running]
        await app.workers.wait_for_complete(completing)
        await pilot.pause()
        assert line.value == "amend 0199d3a0-0001 "
