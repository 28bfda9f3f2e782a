"""Postgres refuses an order that breaks a rule, whether the row is new or changed."""

import re
from typing import Final

import pytest
from peewee import IntegrityError
from psycopg2.errors import CheckViolation

from db.connection import database
from tests.integration.orders import built, claimed, held, pending, read, sign

pytestmark = pytest.mark.usefixtures("connection")

U64: Final = 2**64
TOO_LITTLE_AND_TOO_MUCH: Final = {
    **dict.fromkeys(("amount_in", "exact_out", "max_in", "min_out", "min_liquidity"), ("0", str(U64))),
    **dict.fromkeys(
        (
            "slippage_bps",
            "max_cost_bps",
            "jitter_bps",
            "max_pool_fee_bps",
            "max_round_trip_loss_bps",
            "max_holder_bps",
        ),
        ("-1", "10001"),
    ),
    **dict.fromkeys(("decimals_in", "decimals_out"), ("-1", "19")),
    **dict.fromkeys(
        ("limit_price", "stop_price", "take_profit_price", "then_take_profit_price", "then_stop_price"), ("0", "-1")
    ),
    **dict.fromkeys(("seq", "slices", "every_seconds"), ("0",)),
    "min_fill_bps": ("0", "10001"),
    "client_order_id": ("''", f"'{'x' * 65}'"),
    **dict.fromkeys(("floor", "time_in_force", "catch_up"), ("'other'",)),
    "route": ("'{}'",),
}
"""Values that each column must not have."""
_FILL: Final = "status = 'confirmed', network_fee = 0, filled_out = 1, filled_in"
BROKEN: Final = {
    "two_tokens": ("pending", "mint_out = mint_in"),
    "one_amount": ("pending", "exact_out = 1"),
    "one_amount, of an order that is not held": ("pending", "amount_in = NULL"),
    "limit_of_its_amount": ("pending", "max_in = 1"),
    "on_liquidity_says_how_much": ("pending", "kind = 'on_liquidity', limit_price = 1"),
    "on_liquidity_says_how_much, of another kind": ("pending", "min_liquidity = 1"),
    "on_liquidity_says_how_much, without a price": ("pending", "kind = 'on_liquidity', min_liquidity = 1"),
    "pending_is_due": ("pending", "due_at = NULL"),
    "pending_is_due, of another state": ("claimed", "due_at = now()"),
    "what_rests_is_looked_at": ("claimed", "looks_from = now()"),
    "what_rests_is_looked_at, of a resting order": ("claimed", "status = 'open'"),
    "what_is_held_waits": ("held", "waits_for = NULL"),
    "what_is_held_waits, of another state": ("claimed", "waits_for = 'price'"),
    "submitted_is_signed": ("built", "status = 'submitted'"),
    "only_what_is_signed_is_unknown": ("built", "unknown_since = now()"),
    "confirmed_has_a_fill": ("signed", "status = 'confirmed'"),
    "confirmed_has_a_fill, below its floor": ("signed", f"{_FILL} = 1, min_amount_out = 2"),
    "confirmed_has_a_fill, without a signature": ("built", f"{_FILL} = 1, min_amount_out = 1"),
    "confirmed_has_a_fill, of another state": ("signed", "filled_out = 1"),
    "filled_below_its_ceiling": ("signed", f"{_FILL} = 2, min_amount_out = 1, max_amount_in = 1"),
    "failed_has_a_code": ("claimed", "status = 'failed'"),
    "expired_has_a_code": ("claimed", "status = 'expired'"),
}
"""For each rule about several columns, the state of an order and what breaks the rule."""


def order_in(state: str) -> str:
    """The id of an order in this state."""
    if state == "pending":
        return str(pending())
    if state == "held":
        return str(held(pending()))
    return str({"claimed": claimed, "built": built, "signed": lambda: sign(built(), "sig").order}[state]().id)


def update(order_id: str, change: str) -> None:
    database.execute_sql(f"UPDATE orders SET {change} WHERE id = %s", (order_id,))


def insert(order_id: str, change: str) -> None:
    """Insert a copy of the order with the change."""
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0 AND NOT attisdropped"
    names = [name for (name,) in database.execute_sql(f"{columns} AND attgenerated = ''").fetchall()]
    changed = dict(re.findall(r"(\w+) = ('[^']*'|[^,]+)", change))
    values = {name: name for name in names} | {"id": "gen_random_uuid()", "client_order_id": "'copy'"} | changed
    selected = ", ".join(values[name] for name in names)
    database.execute_sql(
        f"INSERT INTO orders ({', '.join(names)}) SELECT {selected} FROM orders WHERE id = %s", (order_id,)
    )


def refusal(error: IntegrityError) -> CheckViolation:
    """What the driver has raised."""
    violation = getattr(error, "orig", error)
    assert isinstance(violation, CheckViolation)
    return violation


WAYS: Final = {"inserted": insert, "updated": update}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("column", "value"), [(column, value) for column, values in TOO_LITTLE_AND_TOO_MUCH.items() for value in values]
)
def test_a_column_with_an_impossible_value_is_refused(column: str, value: str, way: str) -> None:
    order_id = order_in("pending")
    with pytest.raises(IntegrityError, match=r"value for domain \w+ violates check constraint") as refused:
        WAYS[way](order_id, f"{column} = {value}")
    assert refusal(refused.value).diag.constraint_name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", BROKEN)
def test_columns_that_contradict_each_other_are_refused_by_the_name_of_the_rule(case: str, way: str) -> None:
    state, change = BROKEN[case]
    order_id = order_in(state)
    with pytest.raises(IntegrityError, match="violates check constraint") as refused:
        WAYS[way](order_id, change)
    found = refusal(refused.value).diag
    assert (found.table_name, found.constraint_name) == ("orders", case.partition(",")[0])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", ["pending", "claimed", "built", "signed"])
def test_an_order_that_meets_all_rules_is_stored(state: str, way: str) -> None:
    WAYS[way](order_in(state), "decimals_in = 9")


def test_each_rule_about_several_columns_is_broken_by_a_test() -> None:
    (source,) = database.execute_sql("SELECT prosrc FROM pg_proc WHERE proname = 'check_order'").fetchone()
    assert set(re.findall(r"THEN '(\w+)'", source)) == {case.partition(",")[0] for case in BROKEN}


def test_each_rule_about_one_column_is_broken_by_a_test() -> None:
    rows = database.execute_sql(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' AND domain_name IS NOT NULL"
    )
    assert {name for (name,) in rows.fetchall()} == TOO_LITTLE_AND_TOO_MUCH.keys()


def test_the_rules_hold_in_a_session_that_replays_the_log_of_another_server() -> None:
    order_id = order_in("pending")
    database.execute_sql("SET session_replication_role = replica")
    try:
        with pytest.raises(IntegrityError, match="two_tokens"):
            update(order_id, "mint_out = mint_in")
    finally:
        database.execute_sql("RESET session_replication_role")


def test_a_refused_change_leaves_the_order_as_it_was() -> None:
    order_id = pending()
    before = read(order_id).__data__
    with pytest.raises(IntegrityError):
        update(str(order_id), "starts = 7, due_at = NULL")
    assert read(order_id).__data__ == before
