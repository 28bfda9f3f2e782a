"""The pool programs that quotes were compared with. Others are not traded on a real chain."""

from typing import Any

UP = """
CREATE TABLE proofs (
    kind           text PRIMARY KEY,
    program        text NOT NULL,
    deployed_slot  bigint NOT NULL,   -- of the proved program; a later slot means an upgrade
    proved         boolean NOT NULL,
    pools          integer NOT NULL,
    swaps          integer NOT NULL,
    differences    text[] NOT NULL,
    version        text NOT NULL,     -- of orderd
    proved_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""

DOWN = "DROP TABLE proofs;"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
