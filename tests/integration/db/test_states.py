"""The schema names states, outcomes and events as text, frozen in the migrations: it has to agree with the domain."""

import re
from typing import get_args

import pytest

from db import journal
from db.connection import database
from db.journal import Change
from db.models import in_states
from orderd.domain.events import Cancelled
from orderd.domain.order import ACTIVE, FILLED, IDLE, LEASED, SIGNED, TERMINAL, WAITING, EventKind, OrderStatus, sources
from orderd.wire.order_detail import AttemptOutcome
from tests.integration.orders import built, claimed, pending, sign

pytestmark = pytest.mark.usefixtures("connection")

NAMED_BY = {
    "pending_is_due": WAITING,
    "submitted_is_signed": SIGNED,
    "only_what_is_signed_is_unknown": sources(EventKind.UNKNOWN),
    "confirmed_has_a_fill": FILLED,
    "filled_below_its_ceiling": FILLED,
    "failed_has_a_code": frozenset({OrderStatus.FAILED}),
}
"""Which states each constraint and index is about."""


def values_of(enum: str) -> list[str]:
    rows = database.execute_sql(f"SELECT unnest(enum_range(NULL::{enum}))::text").fetchall()
    return [value for (value,) in rows]


def definitions() -> dict[str, str]:
    """Every check and every index of the schema, by its name."""
    checks = database.execute_sql("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'")
    indexes = database.execute_sql("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    return {**dict(checks.fetchall()), **dict(indexes.fetchall())}


def named(definition: str, enum: str) -> frozenset[str]:
    """The values of an enum that stand in a definition."""
    return frozenset(re.findall(rf"'(\w+)'::{enum}", definition))


def test_the_states_are_those_of_the_table() -> None:
    assert values_of("order_status") == [str(status) for status in OrderStatus]


def test_the_outcomes_of_attempts_are_those_that_are_reported() -> None:
    assert sorted(values_of("attempt_outcome")) == sorted(get_args(AttemptOutcome))


def test_each_rule_about_states_is_about_those_that_the_table_means() -> None:
    found = {name: named(definition, "order_status") for name, definition in definitions().items()}
    assert {name: states for name, states in found.items() if states} == NAMED_BY


def test_a_new_order_begins_where_the_table_says() -> None:
    (default,) = database.execute_sql(
        "SELECT column_default FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'status'"
    ).fetchone()
    assert named(default, "order_status") <= WAITING


def test_how_an_order_ended_is_reported_for_those_that_have() -> None:
    (expression,) = database.execute_sql(
        "SELECT generation_expression FROM information_schema.columns WHERE column_name = 'ended_as' AND "
        "table_name = 'orders'"
    ).fetchone()
    assert named(expression, "order_status") == TERMINAL


def test_no_index_of_orders_names_the_state_for_then_each_change_of_it_would_rewrite_all_entries() -> None:
    indexes = database.execute_sql("SELECT indexdef FROM pg_indexes WHERE tablename = 'orders'").fetchall()
    assert not [
        definition for (definition,) in indexes if re.search(r"\b(status|updated_at|lease_until)\b", definition)
    ]


def test_states_are_found_by_the_words_of_the_indexes() -> None:
    orders = {
        "pending": pending(),
        "routing": claimed().id,
        "building": built().id,
        "submitted": sign(built(), "live").order.id,
        "cancelled": pending(),
    }
    journal.apply([Change(orders["cancelled"], Cancelled(), None)])
    for several in (
        *([status] for status in OrderStatus),
        IDLE,
        WAITING,
        LEASED,
        SIGNED,
        TERMINAL,
        ACTIVE,
        OrderStatus,
    ):
        rows = database.execute_sql(f"SELECT status FROM orders WHERE {in_states(several)}").fetchall()
        assert sorted(status for (status,) in rows) == sorted(set(orders) & set(map(str, several)))
