"""Indexes that keep the time of every statement independent of the number of stored orders.

``ended_as`` is the terminal state, NULL before the end. No index contains ``status``, so changes between active states
change no index entry. The number of ended orders by state is the sum of a table to which triggers add.
"""

from typing import Any

UP = """
ALTER TABLE orders ADD COLUMN ended_as order_status GENERATED ALWAYS AS (
    CASE WHEN status IN ('confirmed', 'failed', 'cancelled', 'expired') THEN status END) STORED;
-- Free space on each page for new versions of its orders.
ALTER TABLE orders SET (fillfactor = 60);

DROP INDEX orders_due, orders_held, orders_newest, orders_by_status, orders_moved, order_events_starts;
-- The constraint pending_is_due ensures that exactly the pending orders have a due time.
CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX orders_held ON orders (id) WHERE ended_as IS NULL AND due_at IS NULL;
CREATE INDEX orders_active ON orders (account_id, id) WHERE ended_as IS NULL;
CREATE INDEX orders_ended ON orders (account_id, ended_as, id) WHERE ended_as IS NOT NULL;
CREATE INDEX orders_sold ON orders (account_id, mint_in, token_in, id) WHERE ended_as IS NOT NULL;
CREATE INDEX orders_bought ON orders (account_id, mint_out, token_out, id) WHERE ended_as IS NOT NULL;
CREATE INDEX order_events_at ON order_events (at);
DROP INDEX notionals_of_token;
CREATE INDEX notionals_of_token ON notionals (token_id, at) INCLUDE (notional);

-- Rows to be added up, which are merged periodically. A single row would be locked by concurrent transactions.
CREATE TABLE ended_orders (
    ended_as  order_status NOT NULL,
    orders   bigint NOT NULL
);
INSERT INTO ended_orders SELECT ended_as, count(*) FROM orders WHERE ended_as IS NOT NULL GROUP BY ended_as;

CREATE FUNCTION count_ended_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.ended_as IS NOT NULL THEN
        INSERT INTO ended_orders VALUES (OLD.ended_as, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.ended_as IS NOT NULL THEN
        INSERT INTO ended_orders VALUES (NEW.ended_as, 1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_ended_later AFTER UPDATE ON orders
    FOR EACH ROW WHEN (OLD.ended_as IS DISTINCT FROM NEW.ended_as) EXECUTE FUNCTION count_ended_order();
CREATE TRIGGER orders_ended_before AFTER INSERT ON orders
    FOR EACH ROW WHEN (NEW.ended_as IS NOT NULL) EXECUTE FUNCTION count_ended_order();
CREATE TRIGGER orders_removed AFTER DELETE ON orders
    FOR EACH ROW WHEN (OLD.ended_as IS NOT NULL) EXECUTE FUNCTION count_ended_order();
"""

DOWN = """
DROP TRIGGER orders_ended_later ON orders;
DROP TRIGGER orders_ended_before ON orders;
DROP TRIGGER orders_removed ON orders;
DROP FUNCTION count_ended_order();
DROP TABLE ended_orders;
DROP INDEX orders_due, orders_held, orders_active, orders_ended, orders_sold, orders_bought, order_events_at;
ALTER TABLE orders RESET (fillfactor);
ALTER TABLE orders DROP COLUMN ended_as;
CREATE INDEX orders_due ON orders (due_at) WHERE status = 'pending';
CREATE INDEX orders_held ON orders (lease_owner) WHERE status IN ('routing', 'building', 'submitted');
CREATE INDEX orders_newest ON orders (account_id, id DESC);
CREATE INDEX orders_by_status ON orders (account_id, status, id DESC);
CREATE INDEX orders_moved ON orders (updated_at);
CREATE INDEX order_events_starts ON order_events (at) WHERE kind = 'started';
DROP INDEX notionals_of_token;
CREATE INDEX notionals_of_token ON notionals (token_id, at);
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
