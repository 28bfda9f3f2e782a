"""Building blocks of tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from orderctl.display.states import state_of
from orderd.domain.order import OrderStatus

Column = tuple[str, Literal["left", "right"]]
"""A heading and its alignment."""
_ANY_WIDTH = 10_000


def status_text(status: OrderStatus, *, is_unknown: bool = False, is_bold: bool = False) -> Text:
    word, tone = state_of(status, is_unknown=is_unknown)
    return Text(word, tone.bold if is_bold else tone)


def plain_table(*columns: Column) -> Table:
    """A table with headings, without lines and without padding at the edges."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=True)
    return table


def print_whole(view: RenderableType, console: Console) -> None:
    """Print without cutting cells: on a narrow terminal, the terminal wraps the lines. Trailing blanks are removed,
    because they would wrap too."""
    shown: list[Segment] = []
    for line in _whole_lines(view, console):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            last = line.pop()
            shown += [*line, last._replace(text=last.text.rstrip())]
        shown.append(Segment.line())
    console.print(Segments(shown), soft_wrap=True, end="")


def _whole_lines(view: RenderableType, console: Console) -> list[list[Segment]]:
    """The rendered lines, neither cut nor wrapped. A huge width avoids measuring first, which would double the cost."""
    return console.render_lines(view, console.options.update(width=_ANY_WIDTH), pad=False)


@dataclass(frozen=True, slots=True)
class IfItFits:
    """Renders ``view``, or ``else_view`` if the terminal is too narrow."""

    view: RenderableType
    else_view: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # print_whole renders with a huge width; a pane of the TUI has its own width.
        room = options.max_width if options.max_width < _ANY_WIDTH else console.width
        lines = _whole_lines(self.view, console)
        if max(map(Segment.get_line_length, lines), default=0) > room:
            yield self.else_view
        else:
            yield Segments([segment for line in lines for segment in (*line, Segment.line())])


def fitting_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[RenderableType]],
    *,
    spared: Sequence[frozenset[str]] = (),
    show_header: bool = True,
) -> RenderableType:
    """A table that hides columns on a narrow terminal: first those in ``spared[0]``, then also those in ``spared[1]``,
    and so on. A cut number is worse than a hidden one, which ``-o wide`` shows."""
    cells = list(rows)
    left_out = [frozenset[str]().union(*spared[:count]) for count in range(len(spared) + 1)]
    *wider, view = [_table_without(each, columns, cells, show_header=show_header) for each in left_out]
    for each in reversed(wider):
        view = IfItFits(each, view)
    return view


def _table_without(
    left_out: frozenset[str],
    columns: Sequence[Column],
    rows: Iterable[Sequence[RenderableType]],
    *,
    show_header: bool,
) -> RenderableType:
    kept = [number for number, (heading, _) in enumerate(columns) if heading not in left_out]
    table = plain_table(*(columns[number] for number in kept))
    table.show_header = show_header
    for row in rows:
        table.add_row(*(row[number] for number in kept))
    return table


def pairs() -> Table:
    """A table of names and values."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table
