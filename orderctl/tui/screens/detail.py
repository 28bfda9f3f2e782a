"""All that is known of one order, kept up to date while it is looked at."""

from typing import ClassVar
from uuid import UUID

from textual import getters, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from orderctl.detail import detail_view
from orderctl.errors import OrderctlError
from orderctl.protocol import params_of
from orderctl.tables import SHORT_ID
from orderctl.tui.desk import Desk
from orderctl.tui.link import Caller
from orderctl.tui.widgets.banner import Banner
from orderd.wire import GetParams, Method, OrderDetail


class DetailScreen(Screen[None]):
    """Reads the order again whenever news of it have come; without a connection it shows what was read last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", tooltip="Back to the orders", id="back"),
    ]
    body = getters.query_one("#detail", Static)

    def __init__(self, desk: Desk, caller: Caller, order: UUID) -> None:
        super().__init__()
        self._desk = desk
        self._caller = caller
        self.order: UUID | None = order
        """The order that keys are about."""
        self._known_seq = 0
        self._is_reading = False

    def compose(self) -> ComposeResult:
        yield Banner()
        with VerticalScroll(id="story") as story:
            story.border_title = f"Order {str(self.order)[:SHORT_ID]}"
            yield Static("reading the order ...", id="detail")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#story").focus()
        self.draw()

    def draw(self) -> None:
        self.set_class(self._desk.stale_since() is not None, "-stale")
        self.query_one(Banner).draw(self._desk)
        assert self.order is not None
        known = self._desk.book.get(self.order)
        if not self._is_reading and (self._known_seq == 0 or (known is not None and known.seq > self._known_seq)):
            self._is_reading = True
            self._read(self.order)

    @work(exit_on_error=False)
    async def _read(self, order: UUID) -> None:
        try:
            params = params_of(GetParams, order=str(order))
            detail = await self._caller.call(Method.ORDER_GET, params, OrderDetail)
        except OrderctlError as error:
            if self._known_seq == 0:
                self.body.update(f"{error.title}\n{error.detail}\n{error.next_step}")
            return
        finally:
            self._is_reading = False
        self._known_seq = detail.order.seq
        self.body.update(detail_view(detail))
