"""The last reading of Postgres' clock, to distinguish a changed clock from elapsed time."""

from typing import Any

UP = """
CREATE TABLE clock (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),      -- time of the last reading
    moved  double precision NOT NULL DEFAULT 0                  -- total seconds by which stored times were moved
);
INSERT INTO clock DEFAULT VALUES;
"""

DOWN = "DROP TABLE clock"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
