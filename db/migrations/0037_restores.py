"""The restore of the database from a backup, and the lost orders that were found on the chain."""

from typing import Any

UP = """
CREATE TABLE restores (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    first_slot  bigint NOT NULL,  -- first slot whose trades the backup may lack
    height      bigint            -- the chain's block height after the restore; NULL until it is read
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
