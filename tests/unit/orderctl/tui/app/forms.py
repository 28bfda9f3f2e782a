"""Filling in and sending the form for a new order."""

import io

from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import Input, Select

from orderctl.tui.screens.new_order import NewOrderScreen
from orderd.client.errors import ClientError
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitResult
from tests.samples.orders import FILLED, QUOTE
from tests.unit.orderctl.tui.app.pilots import drawn
from tests.unit.orderctl.tui.desks import ScriptedCaller, busy, order


async def filled_in(pilot: Pilot[ClientError]) -> NewOrderScreen:
    await pilot.press("n", *"1.5")
    await drawn(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, NewOrderScreen)
    return screen


async def chosen(pilot: Pilot[ClientError], shape: str, **typed: str) -> NewOrderScreen:
    """A form of this kind, filled in."""
    screen = await filled_in(pilot)
    screen.query_one("#kind", Select).value = shape
    await drawn(pilot)
    for name, value in typed.items():
        screen.query_one(f"#{name.replace('_', '-')}", Input).value = value
    await drawn(pilot)
    return screen


def quoting() -> ScriptedCaller:
    """A daemon that quotes the requested terms."""
    caller = busy()
    caller.answers[Method.QUOTE] = lambda params: QUOTE.model_copy(update=params.model_dump(exclude_none=True))
    caller.answers[Method.ORDER_SUBMIT] = SubmitResult(order=order(77, FILLED[:1]), created=True)
    return caller


async def sent_by(pilot: Pilot[ClientError], caller: ScriptedCaller) -> dict[str, object]:
    await pilot.click("#send")
    await drawn(pilot)
    (given,) = caller.called(Method.ORDER_SUBMIT)
    terms: dict[str, object] = given.model_dump(mode="json", exclude_defaults=True, exclude={"client_order_id"})
    return terms


def answer_of(screen: NewOrderScreen) -> str:
    """The text in the place of the prices."""
    console = Console(file=io.StringIO(), record=True)
    console.print(screen.answer.content)
    return console.export_text()
