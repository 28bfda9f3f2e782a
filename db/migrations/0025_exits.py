"""Exits: orders that follow a purchase and sell again, at a better price or at a worse one."""

from typing import Any

UP = """
ALTER TABLE orders
    ADD COLUMN then_take_profit_price numeric CHECK (then_take_profit_price > 0),
    ADD COLUMN then_stop_price numeric CHECK (then_stop_price > 0),
    ADD COLUMN exit_made boolean NOT NULL DEFAULT false;    -- also true if none will be created
CREATE INDEX orders_exits ON orders (id)
    WHERE NOT exit_made AND (then_take_profit_price IS NOT NULL OR then_stop_price IS NOT NULL);
"""

DOWN = """
DROP INDEX orders_exits;
ALTER TABLE orders DROP COLUMN exit_made, DROP COLUMN then_stop_price, DROP COLUMN then_take_profit_price;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
