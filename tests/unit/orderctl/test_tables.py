import io
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from orderctl.display.columns import local_time
from orderctl.display.ids import short_ids
from orderctl.display.tables import plain_table, print_whole
from tests.unit.orderctl.samples import ORDER_ID


def test_thirteen_characters_tell_orders_of_different_milliseconds_apart() -> None:
    other = UUID("0199d3a0-1235-7abc-8def-0123456789ab")

    assert short_ids([ORDER_ID, other]) == {ORDER_ID: "0199d3a0-1234", other: "0199d3a0-1235"}


@given(st.sets(st.integers(0, 2**20), min_size=1, max_size=30))
def test_orders_of_one_millisecond_get_as_many_characters_as_tell_them_apart(numbers: set[int]) -> None:
    ids = [UUID(int=ORDER_ID.int + (number << 60)) for number in numbers]
    short = short_ids(ids)

    assert len(set(short.values())) == len(ids)
    assert all(str(order).startswith(prefix) and len(prefix) >= 13 for order, prefix in short.items())


def test_the_date_is_told_where_it_is_not_todays() -> None:
    now = datetime(2025, 11, 21, 12, tzinfo=UTC)

    assert local_time(now.replace(hour=9, minute=30), now) == "09:30:00"
    assert local_time(now.replace(day=20), now) == "2025-11-20 12:00"


def test_a_table_wider_than_the_terminal_runs_on_uncut() -> None:
    table = plain_table(("ID", "left"), ("AMOUNT", "right"))
    table.add_row("x" * 60, "1.5")
    table.add_row("y", "1500")
    out = io.StringIO()
    print_whole(table, Console(file=out, width=40))

    assert out.getvalue().splitlines() == [
        f"{'ID':<60}  AMOUNT",
        f"{'x' * 60}     1.5",
        f"{'y':<60}    1500",
    ]


def test_no_line_is_longer_than_what_can_be_seen_of_it() -> None:
    table = plain_table(("ID", "left"), ("WHY", "left"))
    table.add_row("x", "a long explanation of it all, which runs on")
    table.add_row("y", "")
    out = io.StringIO()
    print_whole(table, Console(file=out, width=40))

    assert [line for line in out.getvalue().splitlines() if line != line.rstrip()] == []
