"""The screen with profit and loss and the portfolio."""

import asyncio
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual import getters, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from orderctl.display.profit import days_table, earned_curve, holdings_table, tokens_table, totals_line
from orderctl.output.colours import Tone
from orderctl.tui.desk import Desk
from orderctl.tui.remembered import Memory
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.key_line import KeyLine
from orderd.client.errors import ClientError
from orderd.client.news import Caller
from orderd.client.protocol import params_of
from orderd.wire.profit import PnlParams, PnlResult, PortfolioParams, PortfolioResult
from orderd.wire.rpc import Method

READ_SECONDS = 10.0
CURVE_HEIGHT = 8
UNITS = ("USDC", "SOL")
METHODS = ("fifo", "average")
WIDE = 150


class ProfitScreen(Screen[None]):
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012  (Textual's own declaration)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", tooltip="Back to the orders", id="leave-profit"),
        Binding("u", "unit", "Unit", tooltip="Show values in USDC or in SOL", id="unit"),
        Binding("m", "method", "Method", tooltip="Lots: oldest first, or average cost", id="method"),
        Binding("r", "read", "Again", tooltip="Reload", id="read-again"),
    ]
    holdings = getters.query_one("#holdings", Static)
    earned = getters.query_one("#earned", Static)
    days = getters.query_one("#days", Static)

    def __init__(self, desk: Desk, caller: Caller, memory: Memory) -> None:
        super().__init__(name="profit")
        self._desk = desk
        self._caller = caller
        self._memory = memory

    def compose(self) -> ComposeResult:
        yield Banner()
        with VerticalScroll(id="report"):
            with Container(classes="column"):
                yield _panel("holdings", "Portfolio")
                yield _panel("earned", "Profit and loss")
            with Container(classes="column"):
                yield _panel("days", "Realised, day by day")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#report").focus()
        self._read()
        self.draw()

    def draw(self) -> None:
        self.set_class(self._desk.stale_since() is not None, "-stale")
        self.query_one(Banner).draw(self._desk)

    def action_unit(self) -> None:
        self._memory.keep(unit=_next(UNITS, self._memory.layout.unit))
        self._read()

    def action_method(self) -> None:
        self._memory.keep(method=_next(METHODS, self._memory.layout.method))
        self._read()

    def action_read(self) -> None:
        self._read()

    @work(exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        while True:
            layout = self._memory.layout
            unit = layout.unit if layout.unit in UNITS else UNITS[0]
            method = layout.method if layout.method in METHODS else METHODS[0]
            try:
                wanted = params_of(PortfolioParams, unit=unit)
                self._show_holdings(await self._caller.call(Method.PORTFOLIO, wanted, PortfolioResult))
            except ClientError as error:
                self.holdings.update(_complaint(error))
            try:
                params = params_of(PnlParams, unit=unit, method=method)
                self._show_pnl(await self._caller.call(Method.PNL, params, PnlResult))
            except ClientError as error:
                self.earned.update(_complaint(error))
            await asyncio.sleep(READ_SECONDS)

    def _show_holdings(self, portfolio: PortfolioResult) -> None:
        change = "" if portfolio.change is None else f"  {portfolio.change} % in 24 hours"
        self.holdings.border_title = f"Portfolio  {portfolio.value} {portfolio.unit}{change}"
        self.holdings.update(holdings_table(portfolio, bars=True))

    def _show_pnl(self, pnl: PnlResult) -> None:
        method = "oldest lots first" if pnl.method == "fifo" else "average cost"
        self.earned.border_title = f"Profit and loss in {pnl.unit}, {method}"
        self.days.border_title = f"Realised in {pnl.unit}: the total so far, and by day"
        if not pnl.tokens:
            self.earned.update(Text("nothing was traded", "dim"))
            self.days.update("")
            return
        self.earned.update(Group(tokens_table(pnl), Text(), Text(totals_line(pnl))))
        curve = earned_curve(pnl, max(self.days.content_size.width, 20), CURVE_HEIGHT)
        self.days.update(Group(*curve, days_table(pnl)))


def _panel(name: str, title: str) -> Static:
    panel = Static(Text("reading ...", "dim"), id=name, classes="panel")
    panel.border_title = title
    return panel


def _complaint(error: ClientError) -> RenderableType:
    return Text.assemble((error.title, Tone.ALARM), f"\n{error.detail}\n", ("next: ", Tone.HINT), error.next_step)


def _next(choices: tuple[str, ...], now: str) -> str:
    return choices[(choices.index(now) + 1) % len(choices)] if now in choices else choices[0]
