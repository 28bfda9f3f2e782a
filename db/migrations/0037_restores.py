"""A database that was restored from a backup, and what the chain has told it of orders that were lost by that."""

from typing import Any

UP = """
CREATE TABLE restores (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    first_slot  bigint NOT NULL,  -- from which on the backup may not know all that was traded
    height      bigint            -- the chain's newest block height after the restore; NULL while nobody has asked
);
CREATE TABLE lost_orders (
    signature  text PRIMARY KEY,
    tag        bytea NOT NULL,
    order_id   uuid NOT NULL,
    slot       bigint NOT NULL
);
CREATE INDEX lost_orders_tag ON lost_orders (tag);
"""

DOWN = "DROP TABLE lost_orders, restores;"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
