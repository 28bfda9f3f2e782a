"""The table of the newest fills; Enter opens the order."""

from uuid import UUID

from textual import on
from textual.binding import Binding
from textual.widgets import DataTable

from orderctl.display.history import FILL_COLUMNS, fill_cells
from orderctl.display.ids import SHORT_ID
from orderctl.tui.messages import OrderChosen, OrderHighlighted
from orderd.wire.fills import HistoryFill, HistoryResult


class FillTable(DataTable[object]):
    BINDINGS = [  # noqa: RUF012  (Textual's own declaration)
        Binding("j", "cursor_down", "Down", show=False, tooltip="The fill below", id="fill-down"),
        Binding("k", "cursor_up", "Up", show=False, tooltip="The fill above", id="fill-up"),
    ]

    def __init__(self) -> None:
        super().__init__(id="fills", cursor_type="row", zebra_stripes=False, cell_padding=1)
        self._shown: tuple[object, ...] = ()
        self.fills: tuple[HistoryFill, ...] = ()

    def on_mount(self) -> None:
        for heading, justify in FILL_COLUMNS:
            self.add_column(heading if justify == "left" else heading.rjust(len(heading)), key=heading)

    @property
    def selected(self) -> UUID | None:
        """The order of the fill under the cursor."""
        return self.fills[self.cursor_row].order_id if 0 <= self.cursor_row < len(self.fills) else None

    def show(self, history: HistoryResult | None, words: tuple[str, ...]) -> None:
        """Show the fills that contain all words."""
        if (history, words) == self._shown:
            return
        self._shown = history, words
        found = () if history is None else tuple(fill for fill in history.fills if _matches(fill, words))
        chosen = self.selected
        self.fills = found
        self.clear()
        for fill in found:
            self.add_row(*fill_cells(fill, str(fill.order_id)[:SHORT_ID]))
        rows = [fill.order_id for fill in found]
        if chosen in rows:
            self.move_cursor(row=rows.index(chosen), animate=False)

    @on(DataTable.RowSelected)
    def _chosen(self) -> None:
        if self.selected is not None:
            self.post_message(OrderChosen(self.selected))

    @on(DataTable.RowHighlighted)
    def _highlighted(self) -> None:
        self.post_message(OrderHighlighted(self.selected))


def _matches(fill: HistoryFill, words: tuple[str, ...]) -> bool:
    names = (str(fill.order_id), fill.client_order_id, fill.account, fill.token_in, fill.token_out, fill.kind)
    text = "\n".join((*names, fill.venue or "", fill.signature)).lower()
    return all(word in text for word in words)
