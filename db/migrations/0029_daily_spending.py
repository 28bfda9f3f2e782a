"""The total value of a day's orders of all API keys: one counter per day in UTC.

The order's transaction raises the counter if it stays within the limit. ``notionals.day`` is the counter of an order;
an order that ends without a fill is subtracted from it. Orders without an API key are counted as well.
"""

from typing import Any

UP = """
CREATE TABLE daily_spending (
    day       date PRIMARY KEY,
    notional  numeric(30) NOT NULL CHECK (notional >= 0)
);
ALTER TABLE notionals
    ALTER COLUMN token_id DROP NOT NULL,
    ADD COLUMN day date REFERENCES daily_spending;

CREATE FUNCTION uncount_unfilled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE daily_spending d SET notional = d.notional - n.notional
    FROM notionals n WHERE n.order_id = NEW.id AND d.day = n.day;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_unfilled AFTER UPDATE OF status ON orders FOR EACH ROW
    WHEN (OLD.ended_as IS NULL AND NEW.ended_as IN ('failed', 'cancelled', 'expired') AND NEW.filled_in IS NULL)
    EXECUTE FUNCTION uncount_unfilled();
"""

DOWN = """
DROP TRIGGER orders_unfilled ON orders;
DROP FUNCTION uncount_unfilled();
DELETE FROM notionals WHERE token_id IS NULL;
ALTER TABLE notionals DROP COLUMN day, ALTER COLUMN token_id SET NOT NULL;
DROP TABLE daily_spending;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
