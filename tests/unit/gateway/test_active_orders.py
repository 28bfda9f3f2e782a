"""The list of active orders: a follower that pages through it sees each order once, whatever begins and ends
meanwhile."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from orderd.gateway.streaming.active_orders import PAGE, ActiveOrders


def filled(orders: int) -> ActiveOrders:
    roll = ActiveOrders()
    for number in range(1, orders + 1):
        assert roll.add(UUID(int=number)) == number
    return roll


def shown(roll: ActiveOrders) -> list[dict[UUID, int]]:
    pages, after = [], 0
    while after < roll.last:
        page, after = roll.page(after)
        pages.append(page)
    return pages


def test_pages_are_in_the_order_in_which_orders_became_known() -> None:
    pages = shown(filled(3 * PAGE))
    assert [number for page in pages for number in page.values()] == [*range(1, 3 * PAGE + 1)]
    assert all(len(page) <= PAGE for page in pages)


def test_few_remaining_orders_of_many_are_on_one_page() -> None:
    roll = filled(100 * PAGE)
    left = {UUID(int=number): number for number in range(1, 100 * PAGE, PAGE)}
    for number in range(1, 100 * PAGE + 1):
        if UUID(int=number) not in left:
            roll.remove(UUID(int=number), number)
    assert shown(roll) == [left]


def test_an_empty_list_has_no_page() -> None:
    assert ActiveOrders().page(0) == ({}, 0)


@given(ends=st.lists(st.integers(1, 3 * PAGE), unique=True), new=st.integers(0, 2 * PAGE), at=st.integers(0, 3))
def test_paging_misses_no_order(ends: list[int], new: int, at: int) -> None:
    roll = filled(3 * PAGE)
    seen: dict[UUID, int] = {}
    after = turn = 0
    while after < roll.last:
        if turn == at:
            for number in ends:
                roll.remove(UUID(int=number), number)
            for number in range(new):
                roll.add(UUID(int=3 * PAGE + 1 + number))
        page, after = roll.page(after)
        assert not page.keys() & seen.keys()
        seen |= page
        turn += 1
    assert seen.keys() >= roll.page(0)[0].keys()
    assert {number for number in range(1, 3 * PAGE + 1) if number not in ends} <= set(seen.values())
