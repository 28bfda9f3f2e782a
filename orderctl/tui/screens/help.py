"""Every key, and what the screen's signs mean."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from orderctl.tui.widgets.key_line import KeyLine

SIGNS = """
━━━━━━━━━─ how far an order has come: pending, routing, building, submitted, confirmed.
━━━───── 3.40% how far the market is from the price of an order; of executions: what is sold.
▸ an order that others execute: space, or a click on the sign, shows them below it.
A price in green is the best of the venues. All lines of a price panel share one scale.
Grey means old: the connection is lost, or the daemon has said nothing for five seconds.
The mouse works too: click a heading to sort, an order to select it, twice to open it.
No key alone moves money: an order is sent, or cancelled, by a button that you go to first.
"""


class HelpScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", key_display="esc", id="close-help")
    ]

    def __init__(self, bindings: dict[str, ActiveBinding]) -> None:
        """``bindings`` are those of the screen that help is wanted for."""
        super().__init__()
        self._keys = bindings

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = "Help"
            yield Static(self._table())
            yield Static(SIGNS.rstrip())
        yield KeyLine()

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        keys: dict[str, list[str]] = {}
        tips: dict[str, str] = {}
        for _, binding, _, tooltip in self._keys.values():
            if tip := tooltip or binding.tooltip:
                keys.setdefault(binding.action, []).append(self.app.get_key_display(binding))
                tips[binding.action] = tip
        for action, tip in tips.items():
            table.add_row(Text(" ".join(keys[action]), "bold"), tip)
        return table
