"""Halts, which prevent new signatures, and the function that every statement calls that stores a signature.

In READ COMMITTED each statement of a volatile function sees what was committed before it, so the second one sees a halt
for whose lock the first one waited. A halt takes the lock exclusively: then every statement that called the function
earlier has ended, and every later one sees the halt.
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
