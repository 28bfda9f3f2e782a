"""A running TUI, and what tests read from it."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import Static

from orderctl.tui.app import OrderctlApp
from orderctl.tui.widgets.order_panel import OrderPanel
from orderctl.tui.widgets.order_table import OrderTable
from orderd.client.errors import ClientError, RefusedError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.problem import Problem
from tests.unit.orderctl.tui.desks import Clock, ScriptedCaller, application


@asynccontextmanager
async def running(
    caller: ScriptedCaller,
    clock: Clock | None = None,
    *,
    read_only: bool = False,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Pilot[ClientError]]:
    app = application(caller, clock, read_only=read_only)
    async with app.run_test(size=size, notifications=True) as pilot:
        await drawn(pilot)
        yield pilot


async def drawn(pilot: Pilot[ClientError]) -> None:
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, OrderctlApp)
    app.draw()
    await pilot.pause()


def words(pilot: Pilot[ClientError], widget: type[Static]) -> str:
    return str(pilot.app.screen_stack[0].query_one(widget).content)


def table(pilot: Pilot[ClientError], name: str = "active") -> OrderTable:
    return pilot.app.screen_stack[0].query_one(f"#{name}", OrderTable)


def title(pilot: Pilot[ClientError], name: str = "active") -> str:
    """Without the totals."""
    return str(table(pilot, name).border_title).partition("  ·  ")[0]


def lines(pilot: Pilot[ClientError], name: str = "active") -> list[str]:
    """The content of a table without its header and empty lines."""
    shown = table(pilot, name)
    return [text for y in range(1, shown.size.height) if (text := shown.render_line(y).text.strip())]


def panel_text(panel: OrderPanel) -> str:
    """The whole text about an order, visible or scrolled out of view."""
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(panel.text.content)
    return console.export_text()


def notices(pilot: Pilot[ClientError]) -> list[str]:
    return [notice.message for notice in pilot.app._notifications]


NO_POOLS = (ErrorCode.ROUTE_NOT_FOUND, "no venue has a pool")


def refusal(code: ErrorCode, detail: str) -> RefusedError:
    return RefusedError(Problem.of(OrderdError(code, detail)))
