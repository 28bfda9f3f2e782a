"""Whether an order sells the wallet's wrapped SOL. Existing orders sell native SOL."""

from typing import Any

UP = "ALTER TABLE orders ADD COLUMN use_wrapped boolean NOT NULL DEFAULT false"

DOWN = "ALTER TABLE orders DROP COLUMN use_wrapped"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
