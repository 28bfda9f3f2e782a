"""How columns share the width of a screen, and how a cell is made to fit its column."""

from dataclasses import replace
from functools import cache

from orderctl.display.columns import Cell, Column

GAP = 2
"""Characters between two columns."""
MOST_WIDER = 24
"""Characters that a column grows at most: eyes have to find the way across."""

NARROWEST = 6
"""Characters of the column that grows, at least."""


@cache
def fitting(columns: tuple[Column, ...], width: int) -> tuple[Column, ...]:
    """``columns`` without those that can be spared, until what is left fits in ``width`` and fills it. Where there is
    room, a blank is left before the scrollbar.

    If even the others do not fit, the column that grows becomes narrower: its cells are shortened, with a mark.
    """
    for spared in sorted({0, *(column.spared for column in columns)}):
        left = tuple(column for column in columns if not 0 < column.spared <= spared)
        room = width + GAP - sum(column.width + GAP for column in left)
        if room >= 0:
            break
    wider = min(room - 1 if room > 0 else room, MOST_WIDER)
    return tuple(
        replace(column, width=max(column.width + wider, NARROWEST)) if column.grows else column for column in left
    )


def shortened(cell: Cell, width: int) -> Cell:
    """``cell`` within ``width``, or the last of its texts: an amount loses digits, and never its token."""
    if sum(len(text) for text, _ in cell) <= width:
        return cell
    text, role = cell[-1]
    if len(text) <= width:
        return (cell[-1],)
    head, space, tail = text.rpartition(" ")
    kept = width - len(space) - len(tail) - 1
    return ((f"{head[:kept]}…{space}{tail}" if kept > 0 else f"{text[: width - 1]}…", role),)
