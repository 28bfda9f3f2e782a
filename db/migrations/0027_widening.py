"""Stops without their own slippage: each attempt after a failed one allows more slippage.

Existing orders keep their slippage.
"""

from typing import Any

UP = "ALTER TABLE orders ADD COLUMN slippage_widens boolean NOT NULL DEFAULT false"
DOWN = "ALTER TABLE orders DROP COLUMN slippage_widens"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
