"""The kind of each order. Existing orders are market orders."""

from typing import Any

UP = "ALTER TABLE orders ADD COLUMN kind text NOT NULL DEFAULT 'market'"
DOWN = "ALTER TABLE orders DROP COLUMN kind"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
