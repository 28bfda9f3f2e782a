"""What the keys do that hold on every screen, and where they lead.

A screen is loaded when it is first opened, so that the orders are seen sooner: all of them would take a tenth of the
time until the first picture.
"""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable
from uuid import UUID

from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from orderctl.display.ids import SHORT_ID
from orderctl.tui.command_line import Complete, Place, Verb
from orderctl.tui.desk import Desk
from orderctl.tui.explorer import explorer_url
from orderctl.tui.export import export
from orderctl.tui.messages import OrderChosen
from orderctl.tui.remembered import Memory
from orderctl.tui.screens.orders import OrdersScreen
from orderctl.tui.widgets.banner import Banner
from orderd.client.errors import ClientError
from orderd.client.link import Caller
from orderd.client.protocol import params_of
from orderd.domain.order import TERMINAL
from orderd.wire.orders import CancelResult, GetParams, OrderView
from orderd.wire.rpc import Method

COPY = Binding.Group("Copy", compact=True)
TAKEN_SECONDS = 0.3


@runtime_checkable
class AboutAnOrder(Protocol):
    """A screen with an order that keys are about."""

    @property
    def order(self) -> UUID | None: ...


class KeyedApp(App[ClientError]):
    """``complete`` knows what may follow on a command line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_order", "New", tooltip="A form for a new order, with live prices", id="new"),
        Binding("c", "cancel_order", "Cancel", tooltip="Cancel the order, after a question", id="cancel"),
        Binding("y", "copy_id", "Copy id", tooltip="Copy the order's id to the clipboard", id="copy-id", group=COPY),
        Binding(
            "Y",
            "copy_signature",
            "Copy signature",
            tooltip="Copy the transaction's signature to the clipboard",
            id="copy-signature",
            group=COPY,
        ),
        Binding("o", "open", "Explorer", False, tooltip="Show the transaction in a browser", id="open"),
        Binding("colon", "command", "Command", key_display=":", tooltip="Type any command of orderctl", id="command"),
        Binding("P", "place('profit')", "Profit", False, tooltip="What was earned and is held", id="profit"),
        Binding("V", "place('venues')", "Venues", False, tooltip="How venues and services answer", id="venues"),
        Binding("D", "place('depth')", "Depth", False, tooltip="What each size of the pair would pay", id="depth"),
        Binding("z", "pause", "Pause", False, tooltip="Hold the picture still, and go on", id="pause"),
        Binding("e", "export", "Export", False, tooltip="Write what the tab shows into a CSV file", id="export"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="Every key", id="help"),
        Binding("ctrl+p", "command_palette", "Menu", tooltip="Every command by name, and the themes", id="palette"),
        Binding("q", "quit", "Quit", tooltip="Leave; orders go on without you", id="quit"),
    ]

    def __init__(self, desk: Desk, caller: Caller, memory: Memory, complete: Complete) -> None:
        super().__init__()
        self.desk = desk
        self._caller = caller
        self._memory = memory
        self._complete = complete
        self._lines: list[str] = []
        """What was typed on the command line."""

    def draw(self, *, background: bool = True) -> None:
        """Show the desk as it is now."""
        raise NotImplementedError

    def _order(self) -> UUID | None:
        """The id of the order that the screen in front is about."""
        return self.screen.order if isinstance(self.screen, AboutAnOrder) else None

    def _shown_order(self) -> OrderView | None:
        """That order as the desk knows it."""
        chosen = self._order()
        return None if chosen is None else self.desk.book.get(chosen)

    def _signature(self) -> str | None:
        """The signature of its transaction. Without one, the trader is told so."""
        order = self._shown_order()
        if order is None or order.signature is None:
            self.notify("this order has no signature yet", severity="warning")
            return None
        return order.signature

    @on(OrderChosen)
    def _chosen(self, event: OrderChosen) -> None:
        from orderctl.tui.screens.detail import DetailScreen

        self.push_screen(DetailScreen(self.desk, self._caller, event.order))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if action in ("place", "command", "export", "pause") and self.screen.is_modal:
            return False
        return not (self.desk.read_only and action in ("new_order", "cancel_order"))

    def action_new_order(self) -> None:
        from orderctl.tui.screens.new_order import NewOrderScreen

        order = self._shown_order()
        pair = None if order is None else (order.token_in, order.token_out)
        self.push_screen(NewOrderScreen(self.desk, self._caller, pair=pair), self._submitted)

    def _submitted(self, order: OrderView | None) -> None:
        if order is None:
            return
        self.desk.book.put(order)
        # The order itself is seen at once; a toast now would draw all again before its first stages.
        self.set_timer(TAKEN_SECONDS, partial(self.notify, f"order {str(order.id)[:SHORT_ID]} is taken"))
        self.draw()
        for screen in self.screen_stack:
            if isinstance(screen, OrdersScreen):
                screen.select(order.id)

    def action_cancel_order(self) -> None:
        from orderctl.tui.screens.cancel import CancelScreen

        order = self._shown_order()
        if order is None or order.status in TERMINAL:
            self.notify("there is no order here that could be cancelled", severity="warning")
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self._cancel(order)

        self.push_screen(CancelScreen(self.desk, order), answered)

    @work(exit_on_error=False)
    async def _cancel(self, order: OrderView) -> None:
        try:
            params = params_of(GetParams, order=str(order.id))
            result = await self._caller.call(Method.ORDER_CANCEL, params, CancelResult)
        except ClientError as error:
            self._complain(error)
        else:
            self.desk.book.put(result.order)
            self.notify(f"order {str(order.id)[:SHORT_ID]} is {result.order.status}")

    def action_copy_id(self) -> None:
        if (order := self._order()) is not None:
            self._copy(str(order), "id")

    def action_copy_signature(self) -> None:
        if (signature := self._signature()) is not None:
            self._copy(signature, "signature")

    def _copy(self, text: str, what: str) -> None:
        """By OSC 52, which reaches the trader's own clipboard also through ssh."""
        self.copy_to_clipboard(text)
        self.notify(f"copied the {what} {text}", markup=False)

    def action_open(self) -> None:
        if (signature := self._signature()) is None:
            return
        if (url := explorer_url(signature, self.desk.status)) is None:
            self.notify("no explorer knows the transactions of a local chain", severity="warning")
        else:
            self.open_url(url)
            self.notify(url, title="opened in a browser", markup=False)

    def action_pause(self) -> None:
        """The desk goes on; only the picture stands still."""
        self.desk.paused_at = None if self.desk.paused_at is not None else self.desk.clock()
        for banner in self.screen.query(Banner):
            banner.draw(self.desk)
        self.draw()

    def action_export(self) -> None:
        screen = self.screen_stack[0]
        if not isinstance(screen, OrdersScreen):
            return
        rows, kind = screen.blotter.exported
        try:
            path = export(rows, kind, str(screen.blotter.tab), self.desk.clock(), Path.cwd())
        except OSError as error:
            self.notify(f"{error}", title="nothing was written", severity="error", markup=False)
        else:
            self.notify(f"{len(rows)} lines in {path}", markup=False)

    # Where else to look

    def action_place(self, name: str) -> None:
        """The screen of this name, in front of the orders; the same name again leads back."""
        places: dict[str, Callable[[], Screen[None]]] = {
            "profit": self._profit,
            "venues": self._venues,
            "depth": self._depth,
        }
        is_there = self.screen.name == name
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if name in places and not is_there:
            self.push_screen(places[name]())

    def _profit(self) -> Screen[None]:
        from orderctl.tui.screens.profit import ProfitScreen

        return ProfitScreen(self.desk, self._caller, self._memory)

    def _venues(self) -> Screen[None]:
        from orderctl.tui.screens.venues import VenuesScreen

        return VenuesScreen(self.desk)

    def _depth(self) -> Screen[None]:
        from orderctl.tui.screens.depth import DepthScreen

        return DepthScreen(self.desk, self._caller)

    def action_command(self) -> None:
        from orderctl.tui.screens.command import CommandScreen

        self.push_screen(CommandScreen(self._lines, self._complete), self._commanded)

    def _commanded(self, wanted: Place | Verb | None) -> None:
        match wanted:
            case Place("quit"):
                self.exit()
            case Place(name):
                self.action_place(name)
            case Verb(words, changes=False):
                self._run(words)
            case Verb() if self.desk.read_only:
                self.notify("this screen only shows: start it without --read-only", severity="warning")
            case Verb(words):
                self._confirm_and_run(words)

    def _run(self, words: tuple[str, ...]) -> None:
        from orderctl.tui.screens.output import OutputScreen

        self.push_screen(OutputScreen(self.desk, words))

    def _confirm_and_run(self, words: tuple[str, ...]) -> None:
        from orderctl.tui.screens.confirm import ConfirmScreen

        def answered(sure: bool | None) -> None:
            if sure:
                self._run(words)

        self.push_screen(ConfirmScreen(self.desk, words), answered)

    def action_help(self) -> None:
        from orderctl.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen.active_bindings))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What our keys do, each by its name, and Textual's own commands."""
        listed = {"palette"}
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            # Those without an id are Textual's keys for moving about, and two keys may do the same.
            if enabled and binding.id is not None and binding.id not in listed and (tip := tooltip or binding.tooltip):
                listed.add(binding.id)
                yield SystemCommand(binding.description, tip, partial(self.run_action, binding.action, node))
        yield from (command for command in super().get_system_commands(screen) if command.title != "Quit")

    def _complain(self, error: ClientError) -> None:
        self.notify(f"{error.detail}\n{error.next_step}", title=error.title, severity="error", markup=False)
