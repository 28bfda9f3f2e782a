"""The dialog that confirms a cancellation."""

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from orderctl.display.tables import status_text
from orderctl.display.terms import terms
from orderctl.tui.desk import Desk
from orderctl.tui.widgets.key_line import KeyLine
from orderd.domain.order import TERMINAL
from orderd.wire.orders import OrderView


class CancelScreen(ModalScreen[bool]):
    """Returns whether to cancel. The focus starts on the button that changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "keep", "Keep the order", id="keep"),
        Binding("left,right,tab", "app.focus_next", "Other button", key_display="←→", id="other-button"),
    ]

    def __init__(self, desk: Desk, order: OrderView) -> None:
        super().__init__()
        self._desk = desk
        self._order = order

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Cancel this order?"
            yield Static(f"{self._order.id}\n{terms(self._order)}", markup=False)
            yield Static(id="state")
            yield Static("\nA signed order may still be filled; it is not retried.")
            with Horizontal(classes="buttons"):
                yield Button("Keep it", id="keep", compact=True)
                yield Button("Cancel the order", id="cancel", variant="error", compact=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Update the state, which can change while the dialog is open."""
        order = self._desk.book.get(self._order.id) or self._order
        self.query_one("#state", Static).update(
            Text.assemble("now ", status_text(order.status, is_unknown=order.unknown_since is not None))
        )
        self.query_one("#cancel", Button).disabled = order.status in TERMINAL

    def action_keep(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "cancel")
