"""The states, outcomes and events named in the schema, frozen in migrations, agree with the domain."""

import re
from typing import get_args

import pytest

from db import journal
from db.connection import database
from db.journal import Change
from db.models import in_states
from orderd.domain.events import Cancelled
from orderd.domain.order import (
    ACTIVE,
    FILLED,
    HELD,
    IDLE,
    LEASED,
    RESTING,
    SIGNED,
    TERMINAL,
    WAITING,
    EventKind,
    OrderStatus,
    sources,
)
from orderd.wire.order_detail import AttemptOutcome
from tests.integration.orders import built, claimed, pending, sign

pytestmark = pytest.mark.usefixtures("connection")

NAMED_BY = {
    "pending_is_due": WAITING,
    "what_rests_is_looked_at": RESTING,
    "what_is_held_waits": HELD,
    "submitted_is_signed": SIGNED,
    "only_what_is_signed_is_unknown": sources(EventKind.UNKNOWN),
    "confirmed_has_a_fill": FILLED,
    "filled_below_its_ceiling": FILLED,
    "failed_has_a_code": frozenset({OrderStatus.FAILED}),
    "expired_has_a_code": frozenset({OrderStatus.EXPIRED}),
}
"""The states that each constraint, rule and index must name."""


def values_of(enum: str) -> list[str]:
    rows = database.execute_sql(f"SELECT unnest(enum_range(NULL::{enum}))::text").fetchall()
    return [value for (value,) in rows]


def definitions() -> dict[str, str]:
    """Every check constraint, rule of orders and index of the schema, by name."""
    checks = database.execute_sql("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'")
    indexes = database.execute_sql("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    (rules,) = database.execute_sql("SELECT prosrc FROM pg_proc WHERE proname = 'check_order'").fetchone()
    of_orders = {name: rule for rule, name in re.findall(r"WHEN NOT (.*?) THEN '(\w+)'", rules, re.DOTALL)}
    return {**dict(checks.fetchall()), **of_orders, **dict(indexes.fetchall())}


def named(definition: str, enum: str) -> frozenset[str]:
    """The values of an enum that a definition contains."""
    return frozenset(re.findall(rf"'(\w+)'::{enum}", definition)) | frozenset(
        re.findall(r"NEW\.status (?:=|<>) '(\w+)'", definition)
    )


def test_the_schema_has_the_states_of_the_transition_table() -> None:
    assert values_of("order_status") == [str(status) for status in OrderStatus]


def test_the_schema_has_the_outcomes_of_attempts_on_the_wire() -> None:
    assert sorted(values_of("attempt_outcome")) == sorted(get_args(AttemptOutcome))


def test_each_constraint_names_the_states_that_it_means() -> None:
    found = {name: named(definition, "order_status") for name, definition in definitions().items()}
    assert {name: states for name, states in found.items() if states} == NAMED_BY


def test_a_new_order_has_the_initial_state() -> None:
    (default,) = database.execute_sql(
        "SELECT column_default FROM information_schema.columns WHERE table_name = 'orders' AND column_name = 'status'"
    ).fetchone()
    assert named(default, "order_status") <= WAITING


def test_the_column_ended_as_covers_exactly_the_terminal_states() -> None:
    (expression,) = database.execute_sql(
        "SELECT generation_expression FROM information_schema.columns WHERE column_name = 'ended_as' AND "
        "table_name = 'orders'"
    ).fetchone()
    assert named(expression, "order_status") == TERMINAL


def test_no_index_of_orders_has_the_state_as_a_column() -> None:
    indexes = database.execute_sql("SELECT indexdef FROM pg_indexes WHERE tablename = 'orders'").fetchall()
    assert not [
        definition for (definition,) in indexes if re.search(r"\b(status|updated_at|lease_until)\b", definition)
    ]


def test_queries_by_state_use_the_conditions_of_the_indexes() -> None:
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
