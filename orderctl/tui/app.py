"""The TUI application: one connection, periodic requests, and redrawing."""

import gc
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Protocol, runtime_checkable

from textual import on, work
from textual.css.query import NoMatches
from textual.filter import LineFilter
from textual.reactive import Reactive
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES, Theme

from orderctl.tui.colours import ReadableDim, readable_variables, terminal_theme
from orderctl.tui.command_line import Complete, nothing_to_complete
from orderctl.tui.desk import Desk
from orderctl.tui.frames import FRAME_SECONDS, Frames
from orderctl.tui.keyed import KeyedApp
from orderctl.tui.messages import ChartChosen, PairChosen
from orderctl.tui.remembered import Memory
from orderctl.tui.requests import PeriodicRequests
from orderctl.tui.screens.orders import OrdersScreen
from orderctl.tui.toasts import toasts
from orderd.client.errors import ClientError
from orderd.client.news import Caller, Closed, News
from orderd.wire.orders import OrderView
from orderd.wire.subscriptions import Event, Ready

USUAL_THEME = BUILTIN_THEMES["textual-dark"]
TOAST_SECONDS = 1.0
COLLECT_SECONDS = 5.0
"""Interval of the garbage collector, which then takes a few milliseconds."""
COLLECTIONS_PER_FULL_ONE = 120
JOIN_SECONDS = 0.003
"""Notifications within this time are drawn together, because the events of a batch arrive at once."""
FRAMES_A_BACKGROUND = 10
"""The screens behind a dialog are redrawn once per second only, because each time the dialog has to be redrawn too."""


@runtime_checkable
class Drawn(Protocol):
    """A screen that shows the state of the desk when ``draw`` is called."""

    def draw(self) -> None: ...


class OrderctlApp(KeyedApp):
    """``run`` returns the error that ended the application, or None if the trader quit."""

    TITLE = "orderctl"
    CSS_PATH = "orderctl.tcss"
    # Set here, because setting it in a running application computes all styles again.
    ansi_theme_dark = Reactive(terminal_theme(USUAL_THEME), init=False)

    def __init__(
        self, desk: Desk, caller: Caller, memory: Memory | None = None, complete: Complete = nothing_to_complete
    ) -> None:
        """Without ``memory``, the layout is not stored."""
        super().__init__(desk, caller, memory or Memory(), complete)
        self._requests = PeriodicRequests(desk, caller)
        self._frames = Frames()
        self._dim = ReadableDim()
        self._numbers = count(1)
        self._collections = count(1)
        self._has_changes = False
        self._ended: list[OrderView] = []
        """The orders that have ended since the last toasts."""

    def get_default_screen(self) -> Screen[None]:
        return OrdersScreen(self.desk, self._caller, self._memory)

    def on_mount(self) -> None:
        if self._memory.layout.theme in self.available_themes:
            self.theme = self._memory.layout.theme
        self.theme_changed_signal.subscribe(self, self._theme_chosen)
        if self.theme != USUAL_THEME.name:
            self._colour(self.current_theme)
        self.set_interval(COLLECT_SECONDS, self._collect)

    def on_ready(self) -> None:
        self.call_after_refresh(self._connect)

    def _connect(self) -> None:
        """Start the connection, after the first frame: loading its libraries takes a tenth of the time until then."""
        self._listen()
        self.run_worker(self._requests.status(), exit_on_error=False)
        self.run_worker(self._requests.balances(), exit_on_error=False)
        self.run_worker(self._requests.distances(), exit_on_error=False)
        self.run_worker(self._requests.fills(), exit_on_error=False)
        self._follow_price()
        self.set_interval(TOAST_SECONDS, self._toast)
        self.set_interval(FRAME_SECONDS, self._draw_if_due)

    def _theme_chosen(self, theme: Theme) -> None:
        self._memory.keep(theme=theme.name)
        self._colour(theme)

    def _colour(self, theme: Theme) -> None:
        if theme.ansi:  # shows the terminal's own colours
            return
        if theme.dark:
            self.ansi_theme_dark = terminal_theme(theme)
        else:
            self.ansi_theme_light = terminal_theme(theme)

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        if self.current_theme.ansi:
            return {**variables, "cursor-line": variables["primary-muted"]}
        return readable_variables(variables)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return (self._dim, *super().get_line_filters())

    def draw(self, *, background: bool = True) -> None:
        """Redraw the screen in front, and with ``background`` those behind it."""
        if self.desk.paused_at is not None:
            return
        for screen in self.screen_stack if background else self.screen_stack[-1:]:
            if isinstance(screen, Drawn) and screen.is_mounted:
                with suppress(NoMatches):  # a screen that is being removed has lost its widgets
                    screen.draw()

    def _draw_if_due(self) -> None:
        """Redraw without changes, for countdowns."""
        if not self._has_changes and self._frames.is_due():
            self._draw_frame()

    def _draw_soon(self) -> None:
        if not self._has_changes:
            self._has_changes = True
            self.set_timer(max(self._frames.wait(), JOIN_SECONDS), self._draw_frame)

    def _draw_frame(self) -> None:
        self._frames.drawn(has_changes=self._has_changes)
        self._has_changes = False
        self.draw(background=next(self._numbers) % FRAMES_A_BACKGROUND == 0)

    # Notifications

    @work(exit_on_error=False)
    async def _listen(self) -> None:
        try:
            await self._caller.run(self._receive)
        except ClientError as error:
            self.exit(error)

    def _receive(self, news: News) -> None:
        self.desk.receive(news)
        self._draw_soon()
        if isinstance(news, Event) and (order := self.desk.book.ended.get(news.event.order_id)) is not None:
            self._ended.append(order)
        if isinstance(news, Ready):
            self._requests.is_connected.set()
            self._catch_up()
        elif isinstance(news, Closed):
            self._requests.is_connected.clear()

    @work(exclusive=True, group="catch up", exit_on_error=False)
    async def _catch_up(self) -> None:
        try:
            await self._requests.catch_up()
        except ClientError as error:
            self._complain(error)

    @on(PairChosen)
    def _pair_chosen(self, event: PairChosen) -> None:
        if event.pair != self.desk.pair:
            self.desk.pair = event.pair
            self.desk.errors.pop("quote", None)
            self._follow_price()
            self.desk.chart.forget()
            self._follow_candles()

    def _follow_price(self) -> None:
        self.run_worker(self._requests.price(), group="price", exclusive=True, exit_on_error=False)

    @on(ChartChosen)
    def _follow_candles(self) -> None:
        self.desk.errors.pop("prices", None)
        self.run_worker(self._requests.candles(), group="candles", exclusive=True, exit_on_error=False)

    def _collect(self) -> None:
        """Collect garbage; all of it every ten minutes, because that takes longer."""
        gc.collect(2 if next(self._collections) % COLLECTIONS_PER_FULL_ONE == 0 else 1)

    def _toast(self) -> None:
        ended, self._ended = self._ended, []
        for toast in toasts(ended):
            self.notify(toast.text, severity=toast.severity, markup=False)
