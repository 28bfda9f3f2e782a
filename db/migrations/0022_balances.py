"""What the wallet held when a worker last saw it, and by which key an order was submitted.

What orders reserve is added up from the orders themselves, so no counter can be wrong. An allowance counts an order
that rests while it is open and for a day after its last fill: ``notionals.at`` is moved there with each.
"""

from typing import Any

UP = """
CREATE TABLE balances (
    mint         text NOT NULL,
    wrapped      boolean NOT NULL,        -- of SOL: whether it is the account of wrapped SOL, or lamports
    amount       numeric(20) NOT NULL,    -- that an order can sell
    has_account  boolean NOT NULL,
    slot         bigint NOT NULL,
    seen_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (mint, wrapped)
);

ALTER TABLE orders
    ADD COLUMN amount_word text,          -- where the amount was a word, such as max
    ADD COLUMN token_id uuid;             -- the key that submitted it
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
