from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from orderctl.display.ids import short_ids
from tests.samples.orders import ORDER_ID


def test_thirteen_characters_distinguish_orders_of_different_milliseconds() -> None:
    other = UUID("0199d3a0-1235-7abc-8def-0123456789ab")

    assert short_ids([ORDER_ID, other]) == {ORDER_ID: "0199d3a0-1234", other: "0199d3a0-1235"}


@given(st.sets(st.integers(0, 2**20), min_size=1, max_size=30))
def test_orders_of_one_millisecond_get_enough_characters(numbers: set[int]) -> None:
    ids = [UUID(int=ORDER_ID.int + (number << 60)) for number in numbers]
    short = short_ids(ids)

    assert len(set(short.values())) == len(ids)
    assert all(str(order).startswith(prefix) and len(prefix) >= 13 for order, prefix in short.items())
