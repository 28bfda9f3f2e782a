"""A panel with the details of one order, which is updated continuously."""

import asyncio
from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from rich.console import RenderableType
from textual import getters, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from orderctl.display.ids import SHORT_ID
from orderctl.tui.desk import Desk
from orderd.client.errors import ClientError
from orderd.client.news import Caller
from orderd.client.protocol import params_of
from orderd.domain.order import TERMINAL
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import GetParams
from orderd.wire.rpc import Method

SETTLED_SECONDS = 0.2
"""Delay before the order under the cursor is read, so that a passing cursor causes no request."""
READ_SECONDS = 0.5
"""Minimum interval between two reads of an order."""
SCROLL = Binding.Group("Scroll", compact=True)


class OrderPanel(VerticalScroll):
    """Shows the order from the book at once, then all details, which are read again after each event of the order.

    Without a connection, the last details stay visible.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", tooltip="A line up", id="line-up", group=SCROLL),
        Binding("down,j", "scroll_down", "Down", tooltip="A line down", id="line-down", group=SCROLL),
        Binding("pageup", "page_up", "Page up", False, tooltip="A screenful up", id="screen-up"),
        Binding("pagedown", "page_down", "Page down", False, tooltip="A screenful down", id="screen-down"),
    ]
    text = getters.query_one("#text", Static)

    def __init__(
        self, desk: Desk, caller: Caller, view: Callable[[OrderDetail], RenderableType], *, can_focus: bool
    ) -> None:
        super().__init__(id="story", can_focus=can_focus)
        self._desk = desk
        self._caller = caller
        self._view = view
        self._order: UUID | None = None
        self._known_seq = 0
        self._is_due = asyncio.Event()
        self._height = 0
        """The number of lines of the text."""

    def compose(self) -> ComposeResult:
        yield Static(id="text")

    def show(self, order: UUID | None, *, at_once: bool = False) -> None:
        """Show and follow an order, ``at_once`` or after a short delay."""
        if order == self._order and order is not None:
            return
        self._order, self._known_seq = order, 0
        self.scroll_home(animate=False)
        self.border_title = "Order" if order is None else f"Order {str(order)[:SHORT_ID]}"
        if order is None:
            self._write("")
            self.workers.cancel_node(self)
            return
        known = self._desk.book.get(order)
        self._write(
            "reading the order ..."
            if known is None
            else self._view(OrderDetail(order=known, events=(), attempts=(), failures=()))
        )
        self._follow(order, 0 if at_once else SETTLED_SECONDS)

    def draw(self) -> None:
        if self._order is None:
            return
        known = self._desk.book.get(self._order)
        if self._known_seq == 0 or (known is not None and known.seq > self._known_seq):
            self._is_due.set()

    @work(exclusive=True, exit_on_error=False)
    async def _follow(self, order: UUID, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while True:
            try:
                detail = await self._caller.call(Method.ORDER_GET, params_of(GetParams, order=str(order)), OrderDetail)
            except ClientError as error:
                if self._known_seq == 0:
                    self._write(f"{error.title}\n{error.detail}\n{error.next_step}")
            else:
                self._known_seq = detail.order.seq
                self._write(self._view(detail))
                if detail.order.status in TERMINAL:
                    return
            self._is_due.clear()
            await asyncio.sleep(READ_SECONDS)
            await self._is_due.wait()

    def _write(self, content: RenderableType) -> None:
        """Show a text. If it fits as the text before did, the layout stays; Textual would compute it twice."""
        before, room = self._height, self.scrollable_content_region.size
        self.text.update(content, layout=False)
        self._height = self.text.get_content_height(room, self.app.size, room.width)
        if not 0 < max(before, self._height) <= room.height:
            self.text.refresh(layout=True)
