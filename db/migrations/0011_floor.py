"""An order's own minimum amount out and maximum cost, and whether the minimum of its first route applies throughout.

Existing orders have none of these; each of their attempts sets a new minimum.
"""

from typing import Any

UP = """
ALTER TABLE orders
    ADD COLUMN min_out numeric(20) CHECK (min_out > 0),
    ADD COLUMN max_cost_bps integer CHECK (max_cost_bps BETWEEN 0 AND 10000),
    ADD COLUMN floor text CHECK (floor IN ('first', 'each'));
"""

DOWN = "ALTER TABLE orders DROP COLUMN min_out, DROP COLUMN max_cost_bps, DROP COLUMN floor"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
