"""Exits are created at the acceptance of their entry, and held until the entry is filled.

A held order has no amount, no due time and no ``looks_from``; it has the reason of its wait. The index ``orders_exits``
contains only ended entries whose exits have not been updated.
"""

from typing import Any

UP = """
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'held' BEFORE 'open';

ALTER TABLE orders
    ADD COLUMN entry_id uuid REFERENCES orders,     -- the order whose bought tokens this one sells
    DROP CONSTRAINT one_amount,
    ADD CONSTRAINT one_amount CHECK (
        num_nonnulls(amount_in, exact_out) = 1
        OR (amount_in IS NULL AND exact_out IS NULL AND entry_id IS NOT NULL
            AND due_at IS NULL AND looks_from IS NULL AND filled_in IS NULL)),
    -- As text, because a new value of a type cannot be used in the transaction that adds it.
    ADD CONSTRAINT what_is_held_waits CHECK ((status::text = 'held') = (
        ended_as IS NULL AND due_at IS NULL AND looks_from IS NULL AND waits_for IS NOT NULL));
CREATE INDEX orders_follow ON orders (entry_id) WHERE entry_id IS NOT NULL;
DROP INDEX orders_held, orders_exits;
CREATE INDEX orders_held ON orders (id)
    WHERE ended_as IS NULL AND due_at IS NULL AND looks_from IS NULL AND waits_for IS NULL;
CREATE INDEX orders_exits ON orders (id)
    WHERE NOT exit_made AND (then_take_profit_price IS NOT NULL OR then_stop_price IS NOT NULL)
      AND ended_as IS NOT NULL;
"""

DOWN = """
DROP INDEX orders_follow, orders_held, orders_exits;
CREATE INDEX orders_held ON orders (id) WHERE ended_as IS NULL AND due_at IS NULL AND looks_from IS NULL;
CREATE INDEX orders_exits ON orders (id)
    WHERE NOT exit_made AND (then_take_profit_price IS NOT NULL OR then_stop_price IS NOT NULL);
ALTER TABLE orders DROP CONSTRAINT what_is_held_waits;
-- An older release creates exits when the entry is filled, with the client order ids of the held ones.
UPDATE orders SET status = 'cancelled', waits_for = NULL, waits_since = NULL,
    client_order_id = client_order_id || '-held'
WHERE status::text = 'held';
-- It requires an amount. Held orders have sold nothing.
UPDATE orders SET amount_in = 1 WHERE amount_in IS NULL AND exact_out IS NULL;
ALTER TABLE orders
    DROP CONSTRAINT one_amount,
    ADD CONSTRAINT one_amount CHECK ((amount_in IS NULL) <> (exact_out IS NULL)),
    DROP COLUMN entry_id;
-- The value 'held' remains in its type, because Postgres cannot remove it.
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
