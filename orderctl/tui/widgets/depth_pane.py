"""The depth of the current pair: a curve, and optionally tables."""

import asyncio
from typing import TYPE_CHECKING, TypeVar

from rich.console import RenderableType
from rich.text import Text
from textual import work
from textual.widgets import Static

from orderctl.output.colours import Tone
from orderctl.tui.desk import Desk
from orderctl.tui.prices import Pair
from orderd.client.errors import ClientError
from orderd.client.news import Caller
from orderd.domain.errors import OrderdError
from orderd.wire.message import Message
from orderd.wire.rpc import Method

if TYPE_CHECKING:
    from orderctl.output.depth import Depth

A = TypeVar("A", bound=Message)
SETTLED_SECONDS = 1.0
"""Delay before the depth of a new pair is requested, because it needs one quote per size."""
READ_SECONDS = 30.0


class DepthPane(Static):
    """Requests the depth of the desk's pair while the pane is displayed."""

    def __init__(self, caller: Caller, *, with_figures: bool) -> None:
        super().__init__(Text("requesting quotes ...", "dim"), id="depth")
        self._caller = caller
        self._with_figures = with_figures
        self._pair: Pair | None = None
        self.depth: Depth | None = None
        """What is shown; None until the quotes have arrived."""

    def draw(self, desk: Desk) -> None:
        pair = desk.pair if self.display else None
        if pair == self._pair:
            return
        self._pair = pair
        if pair is None:
            self.workers.cancel_node(self)
            return
        self.border_title = "Depth of {}/{}".format(*pair)
        self.depth = None
        self.read(pair, SETTLED_SECONDS)

    def again(self) -> None:
        if self._pair is not None:
            self.read(self._pair, 0)

    @work(exclusive=True, exit_on_error=False)
    async def read(self, pair: Pair, seconds: float) -> None:
        await asyncio.sleep(seconds)
        from orderctl.trading.depth import depth_of  # most terminals have no room for the pane

        calls = _Blocking(self._caller, asyncio.get_running_loop())
        while True:
            try:
                depth = await asyncio.to_thread(depth_of, calls, *pair)
            except ClientError as error:
                self.update(Text(f"{error.title}: {error.detail}", Tone.WARNING))
            except OrderdError as error:
                self.update(Text(f"{error.spec.title}: {error.detail}", Tone.WARNING))
            else:
                self.depth = depth
                self.update(self._view(depth))
            await asyncio.sleep(READ_SECONDS)

    def on_resize(self) -> None:
        if self.depth is not None:
            self.update(self._view(self.depth))

    def _view(self, depth: "Depth") -> RenderableType:
        from orderctl.display.depth import curve, depth_view

        width, height = self.content_size
        return depth_view(depth, width) if self._with_figures else Text("\n").join(curve(depth, width, height))


class _Blocking:
    """A synchronous client for use in another thread than that of the connection."""

    def __init__(self, caller: Caller, loop: asyncio.AbstractEventLoop) -> None:
        self._caller = caller
        self._loop = loop

    def call(self, method: Method, params: Message, answer: type[A]) -> A:
        return asyncio.run_coroutine_threadsafe(self._caller.call(method, params, answer), self._loop).result()
