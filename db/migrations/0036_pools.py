"""The pools of pairs from the last search on the chain, so that a new process does not have to search first."""

from typing import Any

UP = """
CREATE TABLE pools_found (
    kind      text NOT NULL,
    mint_a    text NOT NULL,
    mint_b    text NOT NULL,
    pools     text[] NOT NULL,     -- addresses, the deepest first
    found_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (mint_a, mint_b, kind)
);
"""

DOWN = """
DROP TABLE pools_found;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
