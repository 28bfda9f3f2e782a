"""The screen with the depth of the current pair."""

from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen

from orderctl.tui.desk import Desk
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.depth_pane import DepthPane
from orderctl.tui.widgets.key_line import KeyLine
from orderd.client.news import Caller


class DepthScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", tooltip="Back to the orders", id="leave-depth"),
        Binding("r", "read", "Again", tooltip="Request new quotes", id="quote-again"),
    ]
    depth = getters.query_one(DepthPane)

    def __init__(self, desk: Desk, caller: Caller) -> None:
        super().__init__(name="depth")
        self._desk = desk
        self._caller = caller

    def compose(self) -> ComposeResult:
        yield Banner()
        with VerticalScroll(id="report"):
            yield DepthPane(self._caller, with_figures=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one("#report").focus()
        self.draw()
        self.depth.again()

    def draw(self) -> None:
        self.set_class(self._desk.stale_since() is not None, "-stale")
        self.query_one(Banner).draw(self._desk)
        self.depth.draw(self._desk)

    def action_read(self) -> None:
        self.depth.again()
