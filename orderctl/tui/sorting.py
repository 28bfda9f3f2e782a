"""The sort order of active orders."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from orderctl.display.columns import COLUMNS, Column
from orderctl.tui.remembered import Memory, ScreenLayout
from orderd.wire.orders import OrderView

NEWEST_FIRST: Final = "age"
"""The default sort column, which is sorted in reverse."""


@dataclass(frozen=True, slots=True)
class Sorting:
    column: Column
    is_reversed: bool

    @classmethod
    def remembered(cls, layout: ScreenLayout, columns: tuple[Column, ...]) -> "Sorting":
        """The stored sort order, if its column is among ``columns``, or else the default."""
        known = {column.name: column for column in columns}
        return cls(known.get(layout.sorted_by, COLUMNS[NEWEST_FIRST]), layout.is_reversed)

    @classmethod
    def by(cls, column: Column) -> "Sorting":
        return cls(column, column.name == NEWEST_FIRST)

    def by_next(self, columns: tuple[Column, ...]) -> "Sorting":
        index = columns.index(self.column) + 1
        return Sorting.by(columns[index % len(columns)])

    def turned(self) -> "Sorting":
        return Sorting(self.column, not self.is_reversed)

    def apply(self, orders: Iterable[OrderView]) -> list[OrderView]:
        return sorted(orders, key=self.column.key, reverse=self.is_reversed)

    def keep(self, memory: Memory) -> None:
        memory.keep(sorted_by=self.column.name, is_reversed=self.is_reversed)

    def __str__(self) -> str:
        return f"by {self.column.heading.lower()} {'↓' if self.is_reversed else '↑'}"
