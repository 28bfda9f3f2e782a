"""The screen with all details of one order."""

from typing import ClassVar
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from orderctl.display.detail import detail_view
from orderctl.tui.desk import Desk
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.key_line import KeyLine
from orderctl.tui.widgets.order_panel import OrderPanel
from orderd.client.news import Caller


class DetailScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", tooltip="Back to the orders", id="back"),
    ]

    def __init__(self, desk: Desk, caller: Caller, order: UUID) -> None:
        super().__init__()
        self._desk = desk
        self._caller = caller
        self.order: UUID | None = order
        """The order that keys act on."""

    def compose(self) -> ComposeResult:
        yield Banner()
        yield OrderPanel(self._desk, self._caller, detail_view, can_focus=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(OrderPanel).show(self.order, at_once=True)
        self.draw()

    def draw(self) -> None:
        self.set_class(self._desk.stale_since() is not None, "-stale")
        self.query_one(Banner).draw(self._desk)
        self.query_one(OrderPanel).draw()
