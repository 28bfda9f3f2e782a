"""Arranges orders in a tree: child and exit orders below their parent or entry order, if both are in the table."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final
from uuid import UUID

from orderctl.display.ids import BRANCH
from orderctl.display.resting import above
from orderctl.tui.book import Book
from orderd.wire.orders import OrderView

FOLDED: Final = "▸ "
OPEN: Final = "▾ "
INDENT: Final = "  "


class Lines:
    """The lines of a table of orders. ``table`` are the active or the ended orders of the book; ``in_order`` sorts
    siblings.

    A family matches the filter if one of its orders does; a matching child is shown even if its family is folded.
    ``marks`` are prefixes for the ids of orders with a family. ``known`` and ``found`` count top-level orders.
    """

    def __init__(
        self,
        table: Mapping[UUID, OrderView],
        book: Book,
        in_order: Callable[[Iterable[OrderView]], list[OrderView]],
        is_found: Callable[[OrderView], bool] | None = None,
        unfolded: Collection[UUID] = (),
    ) -> None:
        self._table = table
        self._book = book
        self._in_order = in_order
        self._is_found = is_found
        self._unfolded = unfolded
        self.marks: dict[UUID, str] = {}
        first: Collection[OrderView] = table.values()
        if book.families:
            first = [order for order in first if not self._is_below(order)]
        self.known = len(first)
        first = in_order(first if is_found is None else filter(self._has, first))
        self.found = len(first)
        self.orders = first if not book.families else []
        if book.families:
            for order in first:
                self._put(order)

    def _is_below(self, order: OrderView) -> bool:
        """Whether the order is listed below another one. Ended orders can be below active ones, but not vice versa."""
        first = above(order)
        return first is not None and (first in self._table or first in self._book.active)

    def _below(self, order: OrderView) -> Iterator[OrderView]:
        is_active = order.id in self._book.active
        for child_id in self._book.families.get(order.id, ()):
            child = self._book.get(child_id)
            if child is not None and (is_active or child_id in self._book.ended):
                yield child

    def _has(self, order: OrderView) -> bool:
        """Whether the order or one below it matches the filter."""
        return self._is_found is None or self._is_found(order) or any(map(self._has, self._below(order)))

    def _put(self, order: OrderView, indent: str = "") -> None:
        self.orders.append(order)
        below = list(self._below(order)) if order.id in self._book.families else []
        is_open = order.id in self._unfolded
        mark = indent + ("" if not below else OPEN if is_open else FOLDED)
        if mark:
            self.marks[order.id] = mark
        if not is_open:
            below = [] if self._is_found is None else [child for child in below if self._has(child)]
        for child in self._in_order(below):
            self._put(child, INDENT * (len(indent) // 2) + BRANCH)
