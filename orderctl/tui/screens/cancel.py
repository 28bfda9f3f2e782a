"""Asks before an order is cancelled."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Static

from orderctl.timeline import terms
from orderd.wire import OrderView


class CancelScreen(ModalScreen[bool]):
    """Answers whether to cancel. The cursor begins on the button that changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "keep", "Keep the order", id="keep"),
        Binding("left,right,tab", "app.focus_next", "Other button", key_display="←→", id="other-button"),
    ]

    def __init__(self, order: OrderView) -> None:
        super().__init__()
        self._order = order

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Cancel this order?"
            yield Static(f"{self._order.id}\n{terms(self._order)}\nnow {self._order.status}\n", markup=False)
            yield Static("Once it is signed it can no longer be cancelled; the daemon will say so.\n")
            with Horizontal(classes="buttons"):
                yield Button("Keep it", id="keep", compact=True)
                yield Button("Cancel the order", id="cancel", variant="error", compact=True)
        yield Footer(compact=True, show_command_palette=False)

    def action_keep(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "cancel")
