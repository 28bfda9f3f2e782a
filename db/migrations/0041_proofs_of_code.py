"""The version of orderd's code whose quotes were compared with a program. Empty for existing proofs."""

from typing import Any

UP = "ALTER TABLE proofs ADD COLUMN code text NOT NULL DEFAULT ''"
DOWN = "ALTER TABLE proofs DROP COLUMN code"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
