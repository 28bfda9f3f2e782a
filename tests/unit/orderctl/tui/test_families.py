"""The nesting of orders in the two tables."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest

from orderctl.tui import book as book_module
from orderctl.tui.book import Book
from orderctl.tui.families import Lines
from orderd.domain.events import AnyFact
from orderd.domain.order import OrderStatus
from orderd.wire.orders import OrderView
from tests.samples.orders import FILLED, LIMIT, OCO, STOP, TAKE_PROFIT, TWAP, WITHDRAWN
from tests.unit.orderctl.tui.desks import order, order_id

by_id = partial(sorted, key=lambda each: each.id)


def child(number: int, parent: int, *facts: AnyFact) -> OrderView:
    return order(number, (facts[0].model_copy(update={"parent_id": order_id(parent)}), *facts[1:]))


def book_of(*orders: OrderView) -> Book:
    book = Book()
    book.put_all(orders)
    return book


def shown_ids(lines: Lines) -> list[str]:
    return [f"{lines.marks.get(each.id, '')}{int(str(each.id)[9:13], 16)}" for each in lines.orders]


def opened(*numbers: int) -> frozenset[UUID]:
    return frozenset(map(order_id, numbers))


BRACKET = book_of(
    order(1, (LIMIT,)), child(2, 1, OCO), child(3, 2, TAKE_PROFIT), child(4, 2, STOP), order(5, FILLED[:2])
)


@pytest.mark.parametrize(
    ("unfolded", "shown"),
    [
        (opened(), ["▸ 1", "5"]),
        (opened(1), ["▾ 1", "└ ▸ 2", "5"]),
        (opened(1, 2), ["▾ 1", "└ ▾ 2", "  └ 3", "  └ 4", "5"]),
        (opened(2, 5), ["▸ 1", "5"]),
    ],
)
def test_children_are_shown_below_an_expanded_parent(unfolded: frozenset[UUID], shown: list[str]) -> None:
    lines = Lines(BRACKET.active, BRACKET, by_id, None, unfolded)

    assert shown_ids(lines) == shown
    assert (lines.known, lines.found) == (2, 2)


@pytest.mark.parametrize(
    ("is_found", "shown"),
    [
        (lambda each: each.id == order_id(4), ["▸ 1", "└ ▸ 2", "  └ 4"]),
        (lambda each: each.id == order_id(1), ["▸ 1"]),
        (lambda each: each.id == order_id(5), ["5"]),
        (lambda each: each.id == order_id(9), []),
    ],
)
def test_a_filtered_child_is_shown_below_its_parents(is_found: Callable[[OrderView], bool], shown: list[str]) -> None:
    lines = Lines(BRACKET.active, BRACKET, by_id, is_found)

    assert shown_ids(lines) == shown
    assert (lines.known, lines.found) == (2, min(1, len(shown)))


def test_ended_children_stay_with_their_active_parent() -> None:
    book = book_of(order(1, (TWAP,)), child(2, 1, *FILLED), child(3, 1, *FILLED[:2]))

    assert shown_ids(Lines(book.active, book, by_id, None, opened(1))) == ["▾ 1", "└ 2", "└ 3"]
    assert shown_ids(Lines(book.ended, book, by_id)) == []


def test_active_orders_are_never_below_ended_ones() -> None:
    book = book_of(order(1, FILLED), child(2, 1, OCO), child(3, 1, *WITHDRAWN))

    assert shown_ids(Lines(book.active, book, by_id)) == ["2"]
    assert shown_ids(Lines(book.ended, book, by_id, None, opened(1))) == ["▾ 1", "└ 3"]


def test_an_exit_is_below_its_entry_until_the_entry_ends() -> None:
    held = order(2, (OCO,), entry_id=order_id(1), status=OrderStatus.HELD)
    book = book_of(order(1, FILLED[:2]), held)
    assert shown_ids(Lines(book.active, book, by_id, None, opened(1))) == ["▾ 1", "└ 2"]
    book.put(order(1, FILLED))
    assert shown_ids(Lines(book.active, book, by_id)) == ["2"]


def test_a_child_of_an_unknown_parent_is_shown_alone() -> None:
    book = book_of(child(2, 1, OCO))

    assert shown_ids(Lines(book.active, book, by_id, None, opened(1))) == ["2"]


def test_an_order_dropped_by_the_book_leaves_its_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "ENDED_KEPT", 2)
    book = book_of(order(1, (TWAP,)), *(child(number, 1, *FILLED) for number in (2, 3, 4)))
    assert book.families == {order_id(1): {order_id(3), order_id(4)}}

    gone = book_of(order(1, (TWAP,)), child(2, 1, *FILLED[:2]))
    gone.begin()
    gone.forget_missing()
    assert (gone.active, gone.families) == ({}, {})
