"""Orders that are executed by others: a parent with its children, what was first submitted of one that was amended, and
a wish to cancel what is signed.

Each child is an order with attempts of its own. Of a family at most one attempt is live, or has landed in a block that
may still be rolled back: an index says so, not a check.
"""

from typing import Any

UP = """
ALTER TABLE orders
    ADD COLUMN parent_id uuid REFERENCES orders,
    ADD COLUMN partial boolean NOT NULL DEFAULT false,      -- whether a part that pays the limit may be executed alone
    ADD COLUMN min_fill_bps integer CHECK (min_fill_bps BETWEEN 1 AND 10000),
    ADD COLUMN slices integer CHECK (slices >= 1),          -- how many executions of a TWAP or a DCA
    ADD COLUMN every_seconds integer CHECK (every_seconds >= 1),
    ADD COLUMN jitter_bps integer CHECK (jitter_bps BETWEEN 0 AND 10000),
    ADD COLUMN catch_up text CHECK (catch_up IN ('one', 'all', 'none')),
    ADD COLUMN slice_no integer NOT NULL DEFAULT 0,         -- the number of the next one, from 0
    ADD COLUMN paused boolean NOT NULL DEFAULT false,
    ADD COLUMN cancel_requested boolean NOT NULL DEFAULT false,
    ADD COLUMN first_terms jsonb,                           -- of an amended order: what was submitted
    DROP CONSTRAINT confirmed_has_a_fill,
    -- An order that is executed by its children ends with the sum of their fills, however it ends.
    ADD CONSTRAINT confirmed_has_a_fill CHECK (
        (status = 'confirmed') <= (filled_out IS NOT NULL AND filled_in IS NOT NULL AND network_fee IS NOT NULL)
        AND (status = 'confirmed' OR slices IS NOT NULL OR partial OR kind = 'oco' OR filled_out IS NULL)
        AND (status <> 'confirmed' OR (filled_out >= 1 AND signature IS NOT NULL
             AND (filled_out >= min_amount_out OR slices IS NOT NULL OR partial OR kind = 'oco')))
    );
CREATE INDEX orders_children ON orders (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX orders_withdrawn ON orders (id) WHERE cancel_requested AND ended_as IS NULL;

ALTER TABLE attempts ADD COLUMN family_id uuid;
CREATE UNIQUE INDEX attempts_one_of_a_family ON attempts (family_id)
    WHERE family_id IS NOT NULL AND (outcome = 'live' OR awaits_finality);
"""

DOWN = """
-- An older release would sell the whole of what is sold in parts already, and both ends of an OCO.
UPDATE orders SET status = 'cancelled', looks_from = NULL, due_at = NULL, lease_owner = NULL, lease_until = NULL,
    waits_for = NULL, waits_since = NULL
WHERE ended_as IS NULL AND status <> 'submitted'
  AND (kind IN ('oco', 'twap') OR partial OR parent_id IS NOT NULL OR cancel_requested);
DROP INDEX attempts_one_of_a_family;
ALTER TABLE attempts DROP COLUMN family_id;
DROP INDEX orders_children, orders_withdrawn;
UPDATE orders SET filled_out = NULL, filled_in = NULL, network_fee = NULL WHERE status <> 'confirmed';
ALTER TABLE orders
    DROP CONSTRAINT confirmed_has_a_fill,
    ADD CONSTRAINT confirmed_has_a_fill CHECK (
        (status = 'confirmed') = (filled_out IS NOT NULL AND filled_in IS NOT NULL AND network_fee IS NOT NULL)
        AND (status <> 'confirmed' OR (filled_out >= 1 AND filled_out >= min_amount_out AND signature IS NOT NULL))),
    DROP COLUMN slice_no, DROP COLUMN first_terms, DROP COLUMN cancel_requested, DROP COLUMN paused,
    DROP COLUMN catch_up, DROP COLUMN jitter_bps, DROP COLUMN every_seconds, DROP COLUMN slices,
    DROP COLUMN min_fill_bps, DROP COLUMN partial, DROP COLUMN parent_id;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
