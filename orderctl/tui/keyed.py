"""The key bindings and actions of all screens.

Screens are imported on first use. Importing all of them would take a tenth of the time until the first frame.
"""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable
from uuid import UUID

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from orderctl.display.formats import counted
from orderctl.display.ids import SHORT_ID
from orderctl.display.resting import is_open
from orderctl.tui.command_line import Complete, Place, Verb, amendment
from orderctl.tui.desk import Desk
from orderctl.tui.explorer import explorer_url
from orderctl.tui.export import export
from orderctl.tui.keys_in_order import KeysInOrder
from orderctl.tui.messages import OrderChosen
from orderctl.tui.remembered import Memory
from orderctl.tui.screens.orders import OrdersScreen
from orderctl.tui.widgets.banner import Banner
from orderd.client.errors import ClientError
from orderd.client.news import Caller
from orderd.client.protocol import params_of
from orderd.domain.order import TERMINAL
from orderd.wire.orders import CancelResult, GetParams, OrderView
from orderd.wire.rpc import Method

COPY = Binding.Group("Copy", compact=True)
SETTLED_SECONDS = 0.5
"""Delay after the form has closed, of work that redraws the screen and can wait until the order is visible."""


@runtime_checkable
class AboutAnOrder(Protocol):
    """A screen with a selected order, which keys act on."""

    @property
    def order(self) -> UUID | None: ...


class KeyedApp(KeysInOrder[ClientError]):
    """An application with the common key bindings; ``complete`` completes command lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_order", "New", tooltip="Open the form for a new order, with live prices", id="new"),
        Binding("c", "cancel_order", "Cancel", tooltip="Cancel the order, after a confirmation", id="cancel"),
        Binding("a", "amend", "Amend", False, tooltip="Change the prices of the resting order", id="amend"),
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
        Binding("P", "place('profit')", "Profit", False, tooltip="Profit and loss, and the portfolio", id="profit"),
        Binding(
            "V", "place('venues')", "Venues", False, tooltip="Latencies and errors of venues and services", id="venues"
        ),
        Binding("D", "place('depth')", "Depth", False, tooltip="The depth of the current pair", id="depth"),
        Binding("z", "pause", "Pause", False, tooltip="Pause or resume the display", id="pause"),
        Binding("e", "export", "Export", False, tooltip="Export the current tab to a CSV file", id="export"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="All keys", id="help"),
        Binding("ctrl+p", "command_palette", "Menu", tooltip="All commands by name, and the themes", id="palette"),
        Binding("q", "quit", "Quit", tooltip="Quit; orders continue", id="quit"),
    ]

    def __init__(self, desk: Desk, caller: Caller, memory: Memory, complete: Complete) -> None:
        super().__init__()
        self.desk = desk
        self._caller = caller
        self._memory = memory
        self._complete = complete
        self._lines: list[str] = []
        """The history of the command line."""

    def draw(self, *, background: bool = True) -> None:
        """Show the desk as it is now."""
        raise NotImplementedError

    def _order(self) -> UUID | None:
        """The id of the selected order of the screen in front."""
        return self.screen.order if isinstance(self.screen, AboutAnOrder) else None

    def _shown_order(self) -> OrderView | None:
        """The selected order."""
        chosen = self._order()
        return None if chosen is None else self.desk.book.get(chosen)

    def _signature(self) -> str | None:
        """The signature of the selected order; without one, the trader is notified."""
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
        if action in ("place", "command", "amend", "export", "pause") and self.screen.is_modal:
            return False
        return not (self.desk.read_only and action in ("new_order", "amend", "cancel_order"))

    def action_new_order(self) -> None:
        from orderctl.tui.screens.new_order import NewOrderScreen

        order = self._shown_order()
        pair = None if order is None else (order.token_in, order.token_out)
        form = NewOrderScreen(self.desk, self._caller, pair=pair)
        # An installed screen is not removed when it closes: removing the form at once would redraw the screen twice
        # before the first stages of its order are visible.
        self.install_screen(form, f"form-{id(form)}")
        self.push_screen(form, partial(self._form_closed, form))

    def _form_closed(self, form: Screen[OrderView], order: OrderView | None) -> None:
        self.set_timer(SETTLED_SECONDS, partial(self._remove_form, form))
        if order is None:
            return
        self.desk.book.put(order)
        self.set_timer(SETTLED_SECONDS, partial(self.notify, f"order {str(order.id)[:SHORT_ID]} is accepted"))
        self.draw()
        for screen in self.screen_stack:
            if isinstance(screen, OrdersScreen):
                screen.select(order.id)

    async def _remove_form(self, form: Screen[OrderView]) -> None:
        self.uninstall_screen(form)
        await form.remove()

    def action_cancel_order(self) -> None:
        from orderctl.tui.screens.cancel import CancelScreen

        order = self._shown_order()
        if order is None or order.status in TERMINAL:
            self.notify("no active order is selected", severity="warning")
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
            if result.order.cancel_requested:
                self.notify(f"order {str(order.id)[:SHORT_ID]} is signed already: it may be filled, but is not retried")

    def action_copy_id(self) -> None:
        if (order := self._order()) is not None:
            self._copy(str(order), "id")

    def action_copy_signature(self) -> None:
        if (signature := self._signature()) is not None:
            self._copy(signature, "signature")

    def _copy(self, text: str, what: str) -> None:
        """Copy by OSC 52, which reaches the trader's clipboard even through ssh."""
        self.copy_to_clipboard(text)
        self.notify(f"copied the {what} {text}", markup=False)

    def action_open(self) -> None:
        if (signature := self._signature()) is None:
            return
        if (url := explorer_url(signature, self.desk.status)) is None:
            self.notify("explorers do not know the transactions of a local chain", severity="warning")
        else:
            self.open_url(url)
            self.notify(url, title="opened in a browser", markup=False)

    def action_pause(self) -> None:
        """Pause or resume the display; the desk keeps receiving."""
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
            self.notify(f"{error}", title="the export failed", severity="error", markup=False)
        else:
            self.notify(f"{counted(len(rows), 'line')} in {path}", markup=False)

    # Other screens

    def action_place(self, name: str) -> None:
        """Open a screen in front of the orders; if it is open already, go back."""
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

    def action_amend(self) -> None:
        """Begin the command that amends the selected order."""
        order = self._shown_order()
        if order is None or not is_open(order):
            self.notify("no resting order is selected", severity="warning")
        else:
            self._type_command(amendment(order))

    def action_command(self) -> None:
        self._type_command("")

    def _type_command(self, begun: str) -> None:
        from orderctl.tui.screens.command import CommandScreen

        self.push_screen(CommandScreen(self._lines, self._complete, begun), self._commanded)

    def _commanded(self, wanted: Place | Verb | None) -> None:
        match wanted:
            case Place("quit"):
                self.exit()
            case Place(name):
                self.action_place(name)
            case Verb(words, changes=False):
                self._run(words)
            case Verb() if self.desk.read_only:
                self.notify("read-only: start orderctl tui without --read-only", severity="warning")
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
        """The entries of the command palette: our key bindings by name, and Textual's commands."""
        listed = {"palette"}
        for node, binding, enabled, tooltip in screen.active_bindings.values():
            # Bindings without an id are Textual's navigation keys, and several keys can have the same action.
            if enabled and binding.id is not None and binding.id not in listed and (tip := tooltip or binding.tooltip):
                listed.add(binding.id)
                yield SystemCommand(binding.description, tip, partial(self.run_action, binding.action, node))
        yield from (command for command in super().get_system_commands(screen) if command.title != "Quit")

    def _complain(self, error: ClientError) -> None:
        self.notify(f"{error.detail}\n{error.next_step}", title=error.title, severity="error", markup=False)
