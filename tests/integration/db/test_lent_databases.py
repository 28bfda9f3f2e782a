"""Tests lend databases to each other: one whose schema a test has changed is not lent to the next."""

from collections import deque

import pytest

from db.connection import connect, database
from orderd.embedded.postgres import Postgres
from tests.conftest import RESTING, lent

CHANGES = (
    "CREATE TABLE other ()",
    "DROP TABLE proofs",
    "ALTER TABLE orders ADD COLUMN other integer",
    "ALTER TABLE orders ALTER COLUMN slippage_bps SET DEFAULT 7",
    "ALTER TABLE orders ADD CHECK (amount_in <> 7)",
    "ALTER TABLE orders DROP CONSTRAINT two_tokens",
    "CREATE INDEX other ON orders (amount_in)",
    "DROP INDEX attempts_one_alive; CREATE INDEX attempts_one_alive ON attempts (id) WHERE outcome = 'live'",
    "CREATE FUNCTION other() RETURNS integer LANGUAGE sql AS 'SELECT 7'",
    "ALTER TABLE orders DISABLE TRIGGER USER",
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_database_with_another_schema_is_not_lent_again(postgres_server: Postgres, change: str) -> None:
    resting: deque[str] = deque()
    with lent(postgres_server, resting) as changed:
        connect(changed)
        database.execute_sql(change)
        database.close_all()
    resting *= RESTING
    with lent(postgres_server, resting) as url:
        assert url != changed
