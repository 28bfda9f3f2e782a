"""Keys that arrive together, as over a slow connection, have the same effect as keys that are typed slowly."""

import pytest
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from orderctl.tui.screens.command import CommandScreen
from orderctl.tui.screens.new_order import NewOrderScreen
from orderd.client.errors import ClientError
from orderd.wire.rpc import Method
from tests.unit.orderctl.tui.app.forms import quoting
from tests.unit.orderctl.tui.app.pilots import drawn, running
from tests.unit.orderctl.tui.desks import busy

pytestmark = pytest.mark.asyncio


async def arrive(pilot: Pilot[ClientError], *keys: str) -> None:
    """Let all keys arrive before the first is handled."""
    for key in keys:
        character = key if len(key) == 1 else None
        pilot.app.post_message(Key(_character_to_key(key) if character else key, character))
    await drawn(pilot)


async def test_text_is_edited_in_the_order_of_the_keys() -> None:
    async with running(busy()) as pilot:
        await pilot.press(":", *"amend 1 --limit 130")
        await arrive(pilot, "backspace", "backspace", "2", "5", "left", "left", "backspace", "9")
        screen = pilot.app.screen
        assert isinstance(screen, CommandScreen)
        assert screen.line.value == "amend 1 --limit 925"


@pytest.mark.parametrize("key", ["tab", "enter"])
async def test_a_key_that_leaves_a_field_comes_before_what_is_typed_after_it(key: str) -> None:
    async with running(busy()) as pilot:
        await pilot.press("n")
        await arrive(pilot, *"1.5", key, *"JUP", key)
        fields = pilot.app.screen.query(Input)
        assert {field.id: field.value for field in fields if field.value} == {
            "token-in": "SOL",
            "amount": "1.5",
            "token-out": "JUP",
        }


async def test_what_is_typed_after_the_key_of_a_dialog_is_typed_into_it() -> None:
    async with running(busy()) as pilot:
        await arrive(pilot, "n", *"1.5")
        screen = pilot.app.screen
        assert isinstance(screen, NewOrderScreen)
        assert screen.query_one("#amount", Input).value == "1.5"


async def test_keys_after_one_that_closes_a_dialog_do_not_wait_for_it() -> None:
    caller = quoting()
    async with running(caller) as pilot:
        await pilot.press("n")
        await arrive(pilot, "2", "escape", "n", "3")
        assert pilot.app.screen.query_one("#amount", Input).value == "3"
        assert caller.called(Method.ORDER_SUBMIT) == []
