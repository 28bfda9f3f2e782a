"""What keeps anything new from being signed, and the question that each signature is stored by.

In READ COMMITTED each statement of a volatile function sees what was committed before it, so the second one sees a halt
for whose lock the first one waited. Whoever halts takes the lock alone: then every statement that had asked before has
ended, and every later one sees the halt.
"""

from typing import Any

UP = """
CREATE TABLE halts (
    cause   text PRIMARY KEY,
    actor   text NOT NULL,
    reason  text NOT NULL CHECK (reason <> ''),
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION may_sign() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7140051903123);
    RETURN NOT EXISTS (SELECT FROM halts);
END $$;
"""

DOWN = """
DROP FUNCTION may_sign();
DROP TABLE halts;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
