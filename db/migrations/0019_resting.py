"""Orders that rest until the market meets their condition, and the validity of all orders.

An order rests while ``looks_from`` is not NULL. Indexes use it instead of ``status``: it is always NULL for a market
order, so that no index entry of such an order changes.
"""

from typing import Any

UP = """
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'open' BEFORE 'pending';  -- rests until the market meets its condition

ALTER TABLE orders
    ADD COLUMN limit_price numeric CHECK (limit_price > 0),
    ADD COLUMN stop_price numeric CHECK (stop_price > 0),
    ADD COLUMN take_profit_price numeric CHECK (take_profit_price > 0),
    ADD COLUMN trail text,                      -- distance of a trailing stop, in percent or as a price
    ADD COLUMN max_slippage_bps integer,
    ADD COLUMN confirm integer,
    ADD COLUMN confirm_seconds integer,
    ADD COLUMN time_in_force text CHECK (time_in_force IN ('gtc', 'ioc', 'fok')),
    ADD COLUMN valid_seconds integer,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN looks_from timestamptz,          -- start of the evaluation, while the order rests
    ADD COLUMN best_out numeric(20),            -- the best amount out of a trailing stop so far
    ADD COLUMN triggered_at timestamptz,
    -- As text, because a new value of a type cannot be used in the transaction that adds it.
    ADD CONSTRAINT what_rests_is_looked_at CHECK ((status::text = 'open') = (looks_from IS NOT NULL));
CREATE INDEX orders_resting ON orders (mint_in, mint_out, id) WHERE looks_from IS NOT NULL;
CREATE INDEX orders_rested ON orders (looks_from) WHERE looks_from IS NOT NULL;
CREATE INDEX orders_lapsing ON orders (valid_until) WHERE looks_from IS NOT NULL;
DROP INDEX orders_held;
CREATE INDEX orders_held ON orders (id) WHERE ended_as IS NULL AND due_at IS NULL AND looks_from IS NULL;

-- A resting order can have any number of attempts, one each time its price is met.
ALTER TABLE attempts ALTER COLUMN number TYPE integer;
ALTER TABLE order_failures ALTER COLUMN attempt TYPE integer;
"""

DOWN = """
DROP INDEX orders_resting, orders_rested, orders_lapsing, orders_held;
CREATE INDEX orders_held ON orders (id) WHERE ended_as IS NULL AND due_at IS NULL;
-- An older release would execute every order as a market order. Signed orders are kept, because the chain enforces
-- their minimum.
UPDATE orders SET status = 'cancelled', looks_from = NULL, due_at = NULL, lease_owner = NULL, lease_until = NULL,
    waits_for = NULL, waits_since = NULL
WHERE kind <> 'market' AND ended_as IS NULL AND status <> 'submitted';
UPDATE orders SET kind = 'market' WHERE kind <> 'market';
ALTER TABLE attempts ALTER COLUMN number TYPE smallint;
ALTER TABLE order_failures ALTER COLUMN attempt TYPE smallint;
ALTER TABLE orders
    DROP CONSTRAINT what_rests_is_looked_at,
    DROP COLUMN triggered_at, DROP COLUMN best_out, DROP COLUMN looks_from, DROP COLUMN expires_at,
    DROP COLUMN valid_seconds, DROP COLUMN time_in_force, DROP COLUMN confirm_seconds, DROP COLUMN confirm,
    DROP COLUMN max_slippage_bps, DROP COLUMN trail, DROP COLUMN take_profit_price, DROP COLUMN stop_price,
    DROP COLUMN limit_price;
-- The value 'open' remains in its type, because Postgres cannot remove it.
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
