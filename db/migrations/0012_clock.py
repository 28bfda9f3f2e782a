"""What Postgres' clock last said, so that a clock that is set is told from time that has passed."""

from typing import Any

UP = """
CREATE TABLE clock (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),      -- when somebody last looked
    moved  double precision NOT NULL DEFAULT 0                  -- seconds by which stored times have been moved so far
);
INSERT INTO clock DEFAULT VALUES;
"""

DOWN = "DROP TABLE clock"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
