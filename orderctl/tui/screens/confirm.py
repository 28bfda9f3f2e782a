"""The dialog that confirms a command that trades or changes something."""

import shlex
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from orderctl.tui.desk import Desk
from orderctl.tui.widgets.key_line import KeyLine


class ConfirmScreen(ModalScreen[bool]):
    """Returns whether to run the command. The focus starts on the button that changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Do not run it", id="leave-command"),
        Binding("left,right,tab", "app.focus_next", "Other button", key_display="←→", id="other-answer"),
    ]

    def __init__(self, desk: Desk, words: tuple[str, ...]) -> None:
        super().__init__()
        self._desk = desk
        self._words = words

    def compose(self) -> ComposeResult:
        chain = self._desk.status.chain if self._desk.status is not None else "the chain of the daemon"
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Run this command?"
            yield Static(f"orderctl {shlex.join(self._words)}\n", markup=False)
            yield Static(f"It may trade or change something, on {chain}.")
            with Horizontal(classes="buttons"):
                yield Button("Do not run it", id="leave", compact=True)
                yield Button("Run it", id="run", variant="error", compact=True)
        yield KeyLine()

    def action_leave(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "run")
