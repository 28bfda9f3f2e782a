"""The processes that share the pairs of resting orders."""

from typing import Any

UP = "ALTER TABLE processes ADD COLUMN watches boolean NOT NULL DEFAULT false"
DOWN = "ALTER TABLE processes DROP COLUMN watches"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
