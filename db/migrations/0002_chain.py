"""The chain that the orders belong to."""

from typing import Any

UP = """
CREATE TABLE chain (
    genesis_hash  text NOT NULL CHECK (genesis_hash <> ''),
    is_only_row   boolean PRIMARY KEY DEFAULT true CHECK (is_only_row)
);
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql("DROP TABLE chain")
