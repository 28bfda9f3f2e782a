"""Orders over several pools: all legs of the route that was chosen last."""

from typing import Any

UP = "ALTER TABLE orders ADD COLUMN route jsonb CHECK (jsonb_typeof(route) = 'array')"
DOWN = "ALTER TABLE orders DROP COLUMN route"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
