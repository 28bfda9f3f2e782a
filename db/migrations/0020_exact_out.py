"""Orders that buy an exact amount: what is bought, the most that it may cost, and what its route would take.

Of the two amounts an order has one. The ceiling is to its costs what the floor is to its proceeds: the chain enforces
it with each transaction, so no fill is above it.
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
-- An older orderd takes them for orders that sell what they have paid, or may pay, for no less than they buy.
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
