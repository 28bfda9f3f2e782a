"""Orders that buy an exact amount: the bought amount, the maximum amount in, and the quoted amount in.

An order has either ``amount_in`` or ``exact_out``. The chain enforces the maximum amount in of each transaction, as it
enforces the minimum amount out of a sale.
"""

from typing import Any

UP = """
ALTER TABLE orders
    ALTER COLUMN amount_in DROP NOT NULL,
    ADD COLUMN exact_out numeric(20) CHECK (exact_out BETWEEN 1 AND 18446744073709551615),
    ADD COLUMN max_in numeric(20) CHECK (max_in BETWEEN 1 AND 18446744073709551615),
    ADD COLUMN quoted_amount_in numeric(20),
    ADD COLUMN max_amount_in numeric(20),
    ADD CONSTRAINT one_amount CHECK ((amount_in IS NULL) <> (exact_out IS NULL)),
    ADD CONSTRAINT limit_of_its_amount CHECK (
        (exact_out IS NULL OR min_out IS NULL) AND (amount_in IS NULL OR max_in IS NULL)),
    ADD CONSTRAINT filled_below_its_ceiling CHECK (status <> 'confirmed' OR filled_in <= max_amount_in);
ALTER TABLE attempts ADD COLUMN max_amount_in numeric(20) CHECK (max_amount_in >= 1);
"""

DOWN = """
ALTER TABLE attempts DROP COLUMN max_amount_in;
ALTER TABLE orders
    DROP CONSTRAINT one_amount,
    DROP CONSTRAINT limit_of_its_amount,
    DROP CONSTRAINT filled_below_its_ceiling;
-- For an older release they become orders that sell the paid amount, or the maximum, for at least the bought amount.
UPDATE orders SET amount_in = coalesce(filled_in, max_amount_in, max_in, 1), min_out = exact_out
    WHERE amount_in IS NULL;
ALTER TABLE orders
    ALTER COLUMN amount_in SET NOT NULL,
    DROP COLUMN max_amount_in,
    DROP COLUMN quoted_amount_in,
    DROP COLUMN max_in,
    DROP COLUMN exact_out;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
