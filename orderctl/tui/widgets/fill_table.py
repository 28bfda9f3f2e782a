"""The table of the newest fills; Enter opens the order. On a narrow screen it omits whole columns."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from rich.text import Text
from textual import on
from textual.binding import Binding
from textual.widgets import DataTable

from orderctl.display.history import FILL_COLUMNS, SPARED, fill_cells
from orderctl.display.ids import SHORT_ID
from orderctl.tui.messages import OrderChosen, OrderHighlighted
from orderd.wire.fills import HistoryFill, HistoryResult

_FORMS: Final = (
    (False, frozenset[str]()),
    *((True, frozenset().union(*SPARED[:count])) for count in range(len(SPARED) + 1)),
)
"""Whether the times are short, and the columns that are left out; the widest form first."""


class FillTable(DataTable[object]):
    BINDINGS = [  # noqa: RUF012  (Textual's own declaration)
        Binding("j", "cursor_down", "Down", show=False, tooltip="The fill below", id="fill-down"),
        Binding("k", "cursor_up", "Up", show=False, tooltip="The fill above", id="fill-up"),
    ]

    def __init__(self) -> None:
        super().__init__(id="fills", cursor_type="row", zebra_stripes=False, cell_padding=1)
        self._shown: tuple[object, ...] = ()
        self.fills: tuple[HistoryFill, ...] = ()

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
        self._fill()
        rows = [fill.order_id for fill in found]
        if chosen in rows:
            self.move_cursor(row=rows.index(chosen), animate=False)

    def on_resize(self) -> None:
        row = self.cursor_row
        self._fill()
        self.move_cursor(row=row, animate=False)

    def _fill(self) -> None:
        """Show the fills in the widest form that fits."""
        for is_narrow, left_out in _FORMS:
            kept = [number for number, (heading, _) in enumerate(FILL_COLUMNS) if heading not in left_out]
            rows = [self._cells(fill, kept, is_narrow=is_narrow) for fill in self.fills]
            headings = [Text(heading, justify=justify) for heading, justify in map(FILL_COLUMNS.__getitem__, kept)]
            widths = [max(text.cell_len for text in column) for column in zip(headings, *rows, strict=True)]
            if sum(width + 2 * self.cell_padding for width in widths) <= self.scrollable_content_region.width:
                break
        self.clear(columns=True)
        self.add_columns(*headings)
        self.add_rows(rows)

    def _cells(self, fill: HistoryFill, kept: Sequence[int], *, is_narrow: bool) -> list[Text]:
        cells = fill_cells(fill, str(fill.order_id)[:SHORT_ID], is_narrow=is_narrow)
        return [cells[number] for number in kept]

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
