"""Parents that are executed by child orders, the first terms of amended orders, and requested cancellations of signed
orders.

Each child is an order with its own attempts. A unique index ensures that at most one attempt of a family is live or has
landed without being final.
"""

from typing import Any

UP = """
ALTER TABLE orders
    ADD COLUMN parent_id uuid REFERENCES orders,
    ADD COLUMN partial boolean NOT NULL DEFAULT false,      -- whether parts that meet the limit are executed separately
    ADD COLUMN min_fill_bps integer CHECK (min_fill_bps BETWEEN 1 AND 10000),
    ADD COLUMN slices integer CHECK (slices >= 1),          -- number of executions of a TWAP or a DCA
    ADD COLUMN every_seconds integer CHECK (every_seconds >= 1),
    ADD COLUMN jitter_bps integer CHECK (jitter_bps BETWEEN 0 AND 10000),
    ADD COLUMN catch_up text CHECK (catch_up IN ('one', 'all', 'none')),
    ADD COLUMN slice_no integer NOT NULL DEFAULT 0,         -- number of the next execution, from 0
    ADD COLUMN paused boolean NOT NULL DEFAULT false,
    ADD COLUMN cancel_requested boolean NOT NULL DEFAULT false,
    ADD COLUMN first_terms jsonb,                           -- the submitted terms of an amended order
    DROP CONSTRAINT confirmed_has_a_fill,
    -- A parent has the sum of its children's fills in every terminal state.
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
-- An older release would sell the whole amount of partly executed orders, and both children of an OCO.
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
