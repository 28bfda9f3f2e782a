"""What tables have in common, and the word for a state."""

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
"""A heading, and the edge that its cells keep to."""
_ANY_WIDTH = 10_000


def status_text(status: OrderStatus, *, is_unknown: bool = False, is_bold: bool = False) -> Text:
    word, tone = state_of(status, is_unknown=is_unknown)
    return Text(word, tone.bold if is_bold else tone)


def plain_table(*columns: Column) -> Table:
    """Aligned columns under upper-case headings; no lines, no padding at the edges."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=True)
    return table


def print_whole(view: RenderableType, console: Console) -> None:
    """Without cutting any cell: on a narrow terminal the lines run on. Nothing invisible stands at their ends, where it
    would run on too."""
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
    """With nothing cut or wrapped: what is drawn is not measured before, which would cost as much again."""
    return console.render_lines(view, console.options.update(width=_ANY_WIDTH), pad=False)


@dataclass(frozen=True, slots=True)
class IfItFits:
    """A view, or another one if the terminal is too narrow for it."""

    view: RenderableType
    else_view: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # print_whole gives any width; a pane of the full screen has one, and knows nothing of the console's.
        room = options.max_width if options.max_width < _ANY_WIDTH else console.width
        lines = _whole_lines(self.view, console)
        if max(map(Segment.get_line_length, lines), default=0) > room:
            yield self.else_view
        else:
            yield Segments([segment for line in lines for segment in (*line, Segment.line())])


def fitting_table(
    columns: Sequence[Column], rows: Iterable[Sequence[str | Text]], *, spared: Sequence[frozenset[str]] = ()
) -> RenderableType:
    """The rows under their headings. On a narrow terminal without the columns of the first of ``spared``, then without
    those of the next too: a number that is not seen whole is worse than one that is asked for with ``-o wide``."""
    cells = list(rows)
    left_out = [frozenset[str]().union(*spared[:count]) for count in range(len(spared) + 1)]
    *wider, view = [_table_without(each, columns, cells) for each in left_out]
    for each in reversed(wider):
        view = IfItFits(each, view)
    return view


def _table_without(
    left_out: frozenset[str], columns: Sequence[Column], rows: Iterable[Sequence[str | Text]]
) -> RenderableType:
    kept = [number for number, (heading, _) in enumerate(columns) if heading not in left_out]
    table = plain_table(*(columns[number] for number in kept))
    for row in rows:
        table.add_row(*(row[number] for number in kept))
    return table


def pairs() -> Table:
    """Names and values."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table
