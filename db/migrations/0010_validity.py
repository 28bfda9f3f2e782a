"""An order waits for a service while it is valid, and then expires. Active orders get the validity of new ones."""

from typing import Any

UP = """
ALTER TYPE order_status ADD VALUE 'expired';  -- its validity has ended; terminal

ALTER TABLE orders
    ADD COLUMN valid_until timestamptz,           -- NULL: unlimited
    ADD COLUMN waits_since timestamptz,           -- start of the wait for waits_for
    ADD COLUMN uncounted integer NOT NULL DEFAULT 0,  -- failed attempts that do not count toward the limit
    ADD COLUMN losses integer NOT NULL DEFAULT 0, -- number of workers that died during it before signing
    -- As text, because a new value of a type cannot be used in the transaction that adds it.
    ADD CONSTRAINT expired_has_a_code CHECK (status::text <> 'expired' OR error_code IS NOT NULL);

UPDATE orders SET valid_until = clock_timestamp() + interval '600 seconds'
WHERE status IN ('pending', 'routing', 'building', 'submitted');
UPDATE orders SET waits_since = updated_at WHERE waits_for IS NOT NULL;
"""

DOWN = """
ALTER TABLE orders DROP CONSTRAINT expired_has_a_code, DROP COLUMN losses, DROP COLUMN uncounted,
    DROP COLUMN waits_since, DROP COLUMN valid_until;
-- The value remains in the type: Postgres cannot remove one, and expired orders need it.
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
