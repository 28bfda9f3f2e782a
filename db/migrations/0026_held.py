"""Orders that are held until the order that buys what they sell is filled: there from the acceptance of that one on.

Such an order has no amount, no due time and no time from which the market is looked at: it says what it waits for.
``orders_exits`` leads to the entries that have ended and whose exits do not know it yet, and to no others.
"""

from typing import Any

UP = """
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'held' BEFORE 'open';

ALTER TABLE orders
    ADD COLUMN entry_id uuid REFERENCES orders,     -- the order that buys what this one sells
    DROP CONSTRAINT one_amount,
    ADD CONSTRAINT one_amount CHECK (
        num_nonnulls(amount_in, exact_out) = 1
        OR (amount_in IS NULL AND exact_out IS NULL AND entry_id IS NOT NULL
            AND due_at IS NULL AND looks_from IS NULL AND filled_in IS NULL)),
    -- As text, for a new value of a type cannot be used in the transaction that adds it.
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
-- An older release makes what follows an order when that is filled, under the client order id that this one has.
UPDATE orders SET status = 'cancelled', waits_for = NULL, waits_since = NULL,
    client_order_id = client_order_id || '-held'
WHERE status::text = 'held';
-- It knows no order without an amount: these have sold nothing.
UPDATE orders SET amount_in = 1 WHERE amount_in IS NULL AND exact_out IS NULL;
ALTER TABLE orders
    DROP CONSTRAINT one_amount,
    ADD CONSTRAINT one_amount CHECK ((amount_in IS NULL) <> (exact_out IS NULL)),
    DROP COLUMN entry_id;
-- The value 'held' stays in its type: Postgres takes none out.
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
