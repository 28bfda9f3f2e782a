"""Orders that rest until the market meets their condition, and how long any order is valid.

``looks_from`` is the one column that says that an order rests: no index names ``status``, and it stays NULL through the
life of a market order, so that no index entry of such an order moves.
"""

from typing import Any

UP = """
ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'open' BEFORE 'pending';  -- rests until the market meets its condition

ALTER TABLE orders
    ADD COLUMN limit_price numeric CHECK (limit_price > 0),
    ADD COLUMN stop_price numeric CHECK (stop_price > 0),
    ADD COLUMN take_profit_price numeric CHECK (take_profit_price > 0),
    ADD COLUMN trail text,                      -- how far a stop follows the price, in percent or as a price
    ADD COLUMN max_slippage_bps integer,
    ADD COLUMN confirm integer,
    ADD COLUMN confirm_seconds integer,
    ADD COLUMN time_in_force text CHECK (time_in_force IN ('gtc', 'ioc', 'fok')),
    ADD COLUMN valid_seconds integer,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN looks_from timestamptz,          -- while it rests: from when on the market is looked at for it
    ADD COLUMN best_out numeric(20),            -- of a trailing stop: the most that the market has paid
    ADD COLUMN triggered_at timestamptz,
    -- As text, for a new value of a type cannot be used in the transaction that adds it.
    ADD CONSTRAINT what_rests_is_looked_at CHECK ((status::text = 'open') = (looks_from IS NOT NULL));
CREATE INDEX orders_resting ON orders (mint_in, mint_out, id) WHERE looks_from IS NOT NULL;
CREATE INDEX orders_rested ON orders (looks_from) WHERE looks_from IS NOT NULL;
CREATE INDEX orders_lapsing ON orders (valid_until) WHERE looks_from IS NOT NULL;
DROP INDEX orders_held;
CREATE INDEX orders_held ON orders (id) WHERE ended_as IS NULL AND due_at IS NULL AND looks_from IS NULL;

-- An order that rests may be tried as often as its price comes and goes.
ALTER TABLE attempts ALTER COLUMN number TYPE integer;
ALTER TABLE order_failures ALTER COLUMN attempt TYPE integer;
"""

DOWN = """
DROP INDEX orders_resting, orders_rested, orders_lapsing, orders_held;
CREATE INDEX orders_held ON orders (id) WHERE ended_as IS NULL AND due_at IS NULL;
-- An older release takes every order for a market order: what is signed keeps to its floor, all else would be executed
-- at any price.
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
-- The value 'open' stays in its type: Postgres takes none out.
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
