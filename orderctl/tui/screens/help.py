"""The help screen: all keys and symbols."""

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
━━━━━━━━━─ the stage of an order: pending, routing, building, submitted, confirmed.
━━━───── 3.40% the distance of the market from an order's price; for several executions: the part sold.
▸ an order with child orders: space, or a click on the symbol, shows or hides them.
A green price is the best of all venues. All lines in a price panel have the same scale.
Grey means outdated: the connection is lost, or nothing was received for five seconds.
Mouse: click a heading to sort, click an order to select it, double-click to open it.
No single key trades: orders are sent and cancelled with buttons that you select first.
"""


class HelpScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", key_display="esc", id="close-help")
    ]

    def __init__(self, bindings: dict[str, ActiveBinding]) -> None:
        """``bindings`` are the bindings of the screen that the help is about."""
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
        table.add_column()
        keys: dict[str, list[str]] = {}
        tips: dict[str, str] = {}
        for _, binding, _, tooltip in self._keys.values():
            if tip := tooltip or binding.tooltip:
                keys.setdefault(binding.action, []).append(self.app.get_key_display(binding))
                tips[binding.action] = tip
        for action, tip in tips.items():
            table.add_row(Text(" ".join(keys[action]), "bold"), tip)
        return table
