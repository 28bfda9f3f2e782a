"""Fits columns into the width of the screen, and cells into their columns."""

from dataclasses import replace
from functools import cache

from orderctl.display.cells import Cell
from orderctl.display.columns import Column

GAP = 2
"""Characters between two columns."""
MAX_GROWTH = 24
"""Maximum number of characters by which a column grows; wider gaps would be hard to read across."""

MIN_WIDTH = 6
"""Minimum width of the growing column."""


@cache
def fitting(columns: tuple[Column, ...], width: int) -> tuple[Column, ...]:
    """Hide columns in the order of ``spared`` until the others fit in ``width``, and let one grow into the rest. If
    there is room, a blank is left before the scrollbar.

    If the remaining columns do not fit either, the growing column becomes narrower, and its cells are shortened with a
    mark.
    """
    for spared in sorted({0, *(column.spared for column in columns)}):
        left = tuple(column for column in columns if not 0 < column.spared <= spared)
        room = width + GAP - sum(column.width + GAP for column in left)
        if room >= 0:
            break
    wider = min(room - 1 if room > 0 else room, MAX_GROWTH)
    return tuple(
        replace(column, width=max(column.width + wider, MIN_WIDTH)) if column.grows else column for column in left
    )


def shortened(cell: Cell, width: int) -> Cell:
    """Shorten a cell to ``width``, if necessary to its last text. An amount loses digits, but not its token."""
    if sum(len(text) for text, _ in cell) <= width:
        return cell
    text, role = cell[-1]
    if len(text) <= width:
        return (cell[-1],)
    head, space, tail = text.rpartition(" ")
    kept = width - len(space) - len(tail) - 1
    return ((f"{head[:kept]}…{space}{tail}" if kept > 0 else f"{text[: width - 1]}…", role),)
