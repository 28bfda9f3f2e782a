"""A table of orders that renders only visible lines, so its cost does not depend on the number of orders."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from itertools import zip_longest
from typing import ClassVar
from uuid import UUID

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size, Spacing
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orderctl.display.cells import Showing
from orderctl.display.columns import Column
from orderctl.output.colours import Tone
from orderctl.tui.columns import GAP, fitting, shortened
from orderctl.tui.messages import FamilyFolded, OrderChosen, OrderHighlighted, SortChosen
from orderctl.tui.prices import Pair
from orderd.wire.orders import OrderView

HEADER_LINES = 1
OPEN = Binding.Group("Open", compact=True)


class OrderTable(ScrollView, can_focus=True, inherit_bindings=False):
    """``show`` sets the sorted orders. Left and right are keys of the chart, and do not scroll."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"order-table--{role}" for role in ("header", "sorted", "cursor", "id", *(tone.role for tone in Tone))
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "choose",
            "Detail",
            tooltip="All details of the order under the cursor",
            id="detail",
            group=OPEN,
        ),
        Binding(
            "space",
            "fold",
            "Family",
            key_display="␣",
            tooltip="Show or hide the child orders of an order marked ▸",
            id="fold",
            group=OPEN,
        ),
        Binding("tab", "app.focus_next", "Table", False, tooltip="Switch to the other table", id="table"),
        Binding("up,k", "move(-1)", "Up", show=False, tooltip="The order above", id="up"),
        Binding("down,j", "move(1)", "Down", show=False, tooltip="The order below", id="down"),
        Binding("pageup", "page(-1)", "Page up", show=False, tooltip="A screenful up", id="page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, tooltip="A screenful down", id="page-down"),
        Binding("home,g", "first", "First", show=False, tooltip="The first order", id="first"),
        Binding("end,G", "last", "Last", show=False, tooltip="The last order", id="last"),
    ]

    def __init__(self, columns: tuple[Column, ...], id: str) -> None:
        super().__init__(id=id)
        self._all_columns = columns
        self._orders: Sequence[OrderView] = ()
        self._showing = Showing(datetime.fromtimestamp(0, UTC), is_live=True)
        self._cursor = 0
        self._is_at_top = True
        """Whether the cursor stays on the first line when orders are added; otherwise it stays on its order."""
        self.selected: UUID | None = None
        """The order under the cursor."""
        self.sorted_by: str | None = None
        """The name of the column to mark."""
        self._if_empty = ""
        self._shown: tuple[object, ...] = ()
        """Everything that all lines depend on."""
        self._styles: dict[str, Style] = {}
        self._base = Style()

    # Contents

    def show(
        self,
        orders: Sequence[OrderView],
        now: datetime,
        *,
        if_empty: str,
        sorted_by: str | None = None,
        market: Mapping[Pair, Fraction] | None = None,
        marks: Mapping[UUID, str] | None = None,
    ) -> None:
        """Show these orders as of ``now``; without orders, the text ``if_empty``. For ``market`` and ``marks`` see
        ``Showing``."""
        cursor, visible = self._cursor, self._visible()
        shown = (int(now.timestamp()) if orders else None, sorted_by, if_empty)
        is_all_new, self._shown = shown != self._shown, shown
        self._orders, self.sorted_by, self._if_empty = orders, sorted_by, if_empty
        self._showing = Showing(now, is_live=True, market=market or {}, marks=marks or {})
        self._resize()
        if self._is_at_top:
            self._cursor = 0
        else:
            self._keep_cursor(cursor)
        self._settle()
        if is_all_new:
            self.refresh()
        else:
            self._refresh_changes(visible)

    def _keep_cursor(self, cursor: int) -> None:
        """Keep the selected order at its position on the screen while orders are added or removed above it."""
        for index, order in enumerate(self._orders):
            if order.id == self.selected:
                self._cursor = index
                break
        if cursor != self._cursor and self._is_visible(cursor):
            self.scroll_to(y=self.scroll_offset.y + self._cursor - cursor, animate=False)

    def _resize(self) -> None:
        """Set the scrollable height to the number of orders.

        ``virtual_size`` is set without the layout of the whole screen that Textual would trigger, because only this
        table's scrollbar changes.
        """
        lines = HEADER_LINES + len(self._orders)
        if lines != self.virtual_size.height:
            self.set_reactive(OrderTable.virtual_size, Size(0, lines))
            self.vertical_scrollbar.window_virtual_size = lines
            self.scroll_to(y=min(self.scroll_y, self.max_scroll_y), animate=False)

    def _refresh_changes(self, before: Sequence[tuple[OrderView, bool, str]]) -> None:
        """Redraw only the lines that differ from ``before``."""
        for line, (old, new) in enumerate(zip_longest(before, self._visible())):
            if old is None or new is None or old[0] is not new[0] or old[1:] != new[1:]:
                self.refresh(Region(0, HEADER_LINES + line, self.size.width, 1))

    def _visible(self) -> list[tuple[OrderView, bool, str]]:
        """The visible orders from the top, with whether the cursor is on them and their marks."""
        top = self.scroll_offset.y
        shown = self._orders[top : top + self.size.height - HEADER_LINES]
        marks = self._showing.marks
        return [(order, top + line == self._cursor, marks.get(order.id, "")) for line, order in enumerate(shown)]

    # Cursor and keys

    def select(self, order: UUID) -> None:
        """Move the cursor to this order, if it is listed."""
        for index, known in enumerate(self._orders):
            if known.id == order:
                self._move_to(index)

    def action_move(self, lines: int) -> None:
        self._move_to(self._cursor + lines)

    def action_page(self, pages: int) -> None:
        self._move_to(self._cursor + pages * max(1, self.size.height - HEADER_LINES))

    def action_first(self) -> None:
        self._move_to(0)

    def action_last(self) -> None:
        self._move_to(len(self._orders) - 1)

    def action_choose(self) -> None:
        if self.selected is not None:
            self.post_message(OrderChosen(self.selected))

    def action_fold(self) -> None:
        if self.selected is not None and self.selected in self._showing.marks:
            self.post_message(FamilyFolded(self.selected))

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is None:
            return
        if at.y < HEADER_LINES:
            if (column := self._column_at(at.x)) is not None:
                self.post_message(SortChosen(column.name))
            return
        line = at.y - HEADER_LINES + self.scroll_offset.y
        if line < len(self._orders):
            self._move_to(line)
            if at.x < len(self._showing.marks.get(self._orders[line].id, "")):
                self.action_fold()
            elif event.chain == 2:
                self.action_choose()

    @property
    def _columns(self) -> tuple[Column, ...]:
        return fitting(self._all_columns, self.scrollable_content_region.width)

    def on_focus(self) -> None:
        self.post_message(OrderHighlighted(self.selected))

    def _move_to(self, line: int) -> None:
        self._cursor = line
        self._is_at_top = line <= 0
        self.selected = None
        self._settle()
        region = Region(0, HEADER_LINES + self._cursor, 1, 1)
        self.scroll_to_region(region, spacing=Spacing(HEADER_LINES, 0, 0, 0), animate=False, force=True)
        self.refresh()

    def _settle(self) -> None:
        """Limit the cursor to existing lines, and post a message if another order is selected."""
        self._cursor = max(0, min(self._cursor, len(self._orders) - 1))
        selected = self._orders[self._cursor].id if self._orders else None
        if selected != self.selected or selected is None:
            self.selected = selected
            self.post_message(OrderHighlighted(selected))

    def _is_visible(self, line: int) -> bool:
        top = self.scroll_offset.y
        return top <= line < top + self.size.height - HEADER_LINES

    def _column_at(self, x: int) -> Column | None:
        for column in self._columns:
            x -= column.width + GAP
            if x < 0:
                return column
        return None

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        self._base = self.rich_style  # cached, because it costs as much as a line
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        if y < HEADER_LINES:
            return self._header()
        line = y - HEADER_LINES + self.scroll_offset.y
        if line >= len(self._orders):
            text = self._if_empty if not self._orders and line == 0 else ""
            muted = Segment(text, self._base + self._style("muted"))
            return Strip([muted]).adjust_cell_length(self.size.width, self._base)
        return self._row(self._orders[line], is_cursor=line == self._cursor)

    def _header(self) -> Strip:
        base = self._base
        segments = []
        for column in self._columns:
            role = "sorted" if column.name == self.sorted_by else "header"
            text = column.heading.rjust(column.width) if column.right else column.heading.ljust(column.width)
            segments += [Segment(text, base + self._style(role)), Segment(" " * GAP, base)]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _row(self, order: OrderView, *, is_cursor: bool) -> Strip:
        base = self._base
        over = self._style("cursor") if is_cursor and self.has_focus else Style()
        segments: list[Segment] = []
        for column in self._columns:
            cell = shortened(column.cell(order, self._showing), column.width)
            padding = Segment(" " * (column.width - sum(len(text) for text, _ in cell)), base + over)
            filled = [Segment(text, base + self._style(role) + over if role else base + over) for text, role in cell]
            segments += [padding, *filled] if column.right else [*filled, padding]
            segments.append(Segment(" " * GAP, base + over))
        return Strip(segments).adjust_cell_length(self.size.width, base + over)

    def _style(self, role: str) -> Style:
        """The style of a role; a partly transparent colour is blended with the background."""
        if (known := self._styles.get(role)) is None:
            names = f"order-table--{role.role if isinstance(role, Tone) else role}"
            known = self.get_component_rich_style(names, partial=True)
            if (colour := self.get_component_styles(names).color).a < 1:
                known += Style.from_color((self.background_colors[1] + colour).rich_color)
            self._styles[role] = known
        return known

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
