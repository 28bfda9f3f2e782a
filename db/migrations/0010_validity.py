"""An order waits for a service while it is valid, and then ends as expired. Those of before are valid like new ones."""

from typing import Any

UP = """
ALTER TYPE order_status ADD VALUE 'expired';  -- its validity ended while it waited; terminal

ALTER TABLE orders
    ADD COLUMN valid_until timestamptz,           -- NULL: without end
    ADD COLUMN waits_since timestamptz,           -- from when on it waits for what waits_for says
    ADD COLUMN uncounted integer NOT NULL DEFAULT 0,  -- of the failed attempts, those that were none of its doing
    ADD COLUMN losses integer NOT NULL DEFAULT 0, -- workers that were lost over it before anything was signed
    -- As text, for a new value of a type cannot be used in the transaction that adds it.
    ADD CONSTRAINT expired_has_a_code CHECK (status::text <> 'expired' OR error_code IS NOT NULL);

UPDATE orders SET valid_until = clock_timestamp() + interval '600 seconds'
WHERE status IN ('pending', 'routing', 'building', 'submitted');
UPDATE orders SET waits_since = updated_at WHERE waits_for IS NOT NULL;
"""

DOWN = """
ALTER TABLE orders DROP CONSTRAINT expired_has_a_code, DROP COLUMN losses, DROP COLUMN uncounted,
    DROP COLUMN waits_since, DROP COLUMN valid_until;
-- The value stays in the type: Postgres takes none out, and orders that have it would be left without a state.
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
