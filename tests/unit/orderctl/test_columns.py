"""The columns of order tables: their content, the tables they belong to, and how they share the width."""

import io
from datetime import timedelta
from typing import get_args
from uuid import UUID

import pytest
from rich.console import Console

from orderctl.display.cells import Showing
from orderctl.display.columns import COLUMNS, Place, column_named, columns_named, columns_of
from orderctl.display.orders import orders_table
from orderctl.output.colours import Tone
from orderctl.tui.columns import GAP, fitting, shortened
from orderd.client.errors import ConfigError
from orderd.domain.order import OrderKind, OrderStatus
from tests.samples.orders import (
    FILLED,
    OUTCOME_UNKNOWN,
    REFUSED_FOR_FUNDS,
    RETRIED,
    ROLLED_BACK,
    SIGNATURE,
    START,
    WITHDRAWN,
    history,
    order_after,
)

NOW = START + timedelta(seconds=90)
FATES = (FILLED, FILLED[:1], FILLED[:3], REFUSED_FOR_FUNDS, RETRIED, ROLLED_BACK, OUTCOME_UNKNOWN, WITHDRAWN)
ORDERS = tuple(order_after(history(facts)) for facts in FATES)


def text(name: str, order: object, showing: Showing) -> str:
    return "".join(part for part, _ in COLUMNS[name].cell(order, showing))  # type: ignore[arg-type]


def names(place: Place) -> list[str]:
    return [column.name for column in columns_of(place)]


def test_each_table_has_its_columns() -> None:
    assert {place: names(place) for place in get_args(Place)} == {
        "table": ["id", "status", "sell", "result", "created"],
        "wide": [*names("table"), "price", "attempt", "venue", "client_order_id", "signature", "kind", "trigger"],
        "active": ["id", "status", "stages", "sell", "result", "venue", "try", "client_order_id", "kind", "age"],
        "ended": ["id", "status", "sell", "result", "venue", "try", "client_order_id", "kind", "ended"],
    }


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_has_a_cell_for_every_order_and_can_sort_them(name: str) -> None:
    column = COLUMNS[name]
    for showing in (Showing(NOW), Showing(NOW, is_live=True)):
        assert all(text(name, order, showing) for order in ORDERS)
    assert len(sorted(ORDERS, key=column.key)) == len(ORDERS)
    assert len(column.heading) <= column.width


def test_columns_are_named_in_any_order() -> None:
    assert [column.name for column in columns_named("price, ID,status")] == ["price", "id", "status"]


@pytest.mark.parametrize(("given", "detail"), [("pirce", "'pirce'; did you mean price?"), ("zzz", "'zzz'"), ("", "''")])
def test_an_unknown_column_is_refused_with_the_known_ones(given: str, detail: str) -> None:
    with pytest.raises(ConfigError) as refused:
        column_named(given)

    assert refused.value.detail == detail
    assert refused.value.next_step == f"choose among {', '.join(COLUMNS)}"


@pytest.mark.parametrize(
    ("name", "facts", "shown"),
    [
        ("id", FILLED, "0199d3a0-1234"),
        ("sell", FILLED, "1.5 SOL"),
        ("result", FILLED, "152.310211 USDC"),
        ("result", REFUSED_FOR_FUNDS, "FUNDS_INSUFFICIENT"),
        ("result", WITHDRAWN, "→ USDC"),
        ("price", FILLED, "101.540141"),
        ("price", FILLED[:3], "-"),
        ("attempt", FILLED[:1], "0"),
        ("try", FILLED[:1], "-"),
        ("signature", FILLED, SIGNATURE),
        ("age", FILLED, "1:30"),
        ("ended", FILLED[:3], "-"),
        ("status", OUTCOME_UNKNOWN, "unknown"),
        ("stages", FILLED[:3], "━━━━━━────"),
    ],
)
def test_a_cell_shows_its_value(name: str, facts: tuple[object, ...], shown: str) -> None:
    assert text(name, order_after(history(facts)), Showing(NOW)) == shown  # type: ignore[arg-type]


def test_an_order_names_its_parent_or_entry() -> None:
    alone, above = order_after(history(FILLED)), UUID("0199d3a0-9999-7abc-8def-0123456789ab")
    below = [alone, *(alone.model_copy(update={name: above}) for name in ("parent_id", "entry_id"))]

    assert [text("parent", each, Showing(NOW)) for each in below] == ["-", "0199d3a0-9999", "0199d3a0-9999"]


def test_only_live_tables_show_what_an_order_waits_for() -> None:
    order = order_after(history(FILLED[:1]), due_at=NOW + timedelta(seconds=8))
    routed = order.model_copy(update={"due_at": None, "quoted_amount_out": "152.3"})
    ended = order_after(history(WITHDRAWN), quoted_amount_out="152.3")

    assert [text("result", each, Showing(NOW, is_live=True)) for each in (order, routed, ended)] == [
        "in 9 s",
        "→ 152.3 USDC",
        "→ USDC",
    ]
    assert [text("result", each, Showing(NOW)) for each in (order, routed, ended)] == ["→ USDC"] * 3


def test_a_rolled_back_fill_is_not_a_result() -> None:
    order = order_after(history(ROLLED_BACK), amount_out="152.3")

    assert text("result", order, Showing(NOW)) == "→ USDC"


def test_a_date_is_shown_unless_it_is_today() -> None:
    order = order_after(history(FILLED[:1]))

    assert text("created", order, Showing(NOW)) == "09:30:00"
    assert text("created", order, Showing(NOW + timedelta(days=1))) == "2025-11-21 09:30"


def test_requested_columns_are_shown_in_their_order() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(orders_table(ORDERS[:1], wide=False, columns=columns_named("price,status,id")))

    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["PRICE", "STATUS", "ID"],
        ["101.540141", "confirmed", "0199d3a0-1234"],
    ]


class TestOnAScreen:
    @pytest.mark.parametrize("place", ["active", "ended"])
    def test_columns_fill_the_available_width(self, place: Place) -> None:
        for width in (50, 59, 72, 78, 90, 100):
            shown = fitting(columns_of(place), width)
            used = sum(column.width for column in shown) + GAP * (len(shown) - 1)
            assert used == width or (used == width - 1 and width > 59), "a blank before the scrollbar"

    def test_columns_are_dropped_in_a_fixed_order(self) -> None:
        asked = columns_of("active")
        whole = sum(column.width + GAP for column in asked) - GAP

        def missing(width: int) -> set[str]:
            return {column.name for column in asked} - {column.name for column in fitting(asked, width)}

        assert missing(whole) == set()
        assert missing(whole - 1) == {"client_order_id"}
        assert missing(120) == {"client_order_id"}
        assert missing(90) == {"client_order_id", "kind", "venue"}
        assert missing(78) == {"client_order_id", "kind", "venue", "try"}
        assert missing(70) == {"client_order_id", "kind", "venue", "try", "stages"}
        assert missing(60) == {"client_order_id", "kind", "venue", "try", "stages", "age"}

    def test_columns_keep_their_minimum_width(self) -> None:
        for width in (60, 80, 200):
            assert all(column.width >= COLUMNS[column.name].width for column in fitting(columns_of("active"), width))
        assert {column.name: column.width for column in fitting(columns_of("active"), 50)}["result"] == 7

    def test_an_amount_loses_digits_and_never_its_token(self) -> None:
        assert shortened((("1.123456789 SOL", ""),), 9) == (("1.12… SOL", ""),)
        assert shortened((("→ ", Tone.MUTED), ("12 SOL", "")), 6) == (("12 SOL", ""),)
        assert shortened((("FUNDS_INSUFFICIENT", Tone.BAD),), 9) == (("FUNDS_IN…", Tone.BAD),)


def test_no_kind_and_no_state_of_an_order_is_cut_on_the_full_screen() -> None:
    assert COLUMNS["kind"].width >= max(map(len, OrderKind))
    assert COLUMNS["status"].width >= max(map(len, OrderStatus))
