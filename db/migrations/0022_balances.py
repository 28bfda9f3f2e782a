"""The wallet's balances when a worker last read them, and the API key that submitted an order.

Reserved amounts are computed from the orders, without a counter. An allowance counts a resting order while it is open
and for a day after its last fill, which sets ``notionals.at``.
"""

from typing import Any

UP = """
CREATE TABLE balances (
    mint         text NOT NULL,
    wrapped      boolean NOT NULL,        -- for SOL: true for the account of wrapped SOL, false for lamports
    amount       numeric(20) NOT NULL,    -- that an order can sell
    has_account  boolean NOT NULL,
    slot         bigint NOT NULL,
    seen_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (mint, wrapped)
);

ALTER TABLE orders
    ADD COLUMN amount_word text,          -- the submitted amount if it was a word, such as max
    ADD COLUMN token_id uuid;             -- the API key that submitted it
CREATE INDEX orders_of_key ON orders (token_id) WHERE ended_as IS NULL AND kind <> 'market';
CREATE INDEX fills_at ON fills (at);

CREATE FUNCTION count_allowance_from_fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE notionals SET at = clock_timestamp() WHERE order_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_filled AFTER UPDATE OF filled_in ON orders FOR EACH ROW
    WHEN (NEW.kind <> 'market' AND NEW.filled_in IS NOT NULL AND NEW.filled_in IS DISTINCT FROM OLD.filled_in)
    EXECUTE FUNCTION count_allowance_from_fill();
"""

DOWN = """
DROP TRIGGER orders_filled ON orders;
DROP FUNCTION count_allowance_from_fill();
DROP INDEX fills_at, orders_of_key;
ALTER TABLE orders DROP COLUMN token_id, DROP COLUMN amount_word;
DROP TABLE balances;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
