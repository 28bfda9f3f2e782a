"""Orders on liquidity, which wait until the pools of their pair hold enough, and their further conditions."""

from typing import Any

UP = """
ALTER TABLE orders
    ADD COLUMN min_liquidity numeric(20) CHECK (min_liquidity BETWEEN 1 AND 18446744073709551615),
    ADD COLUMN max_pool_fee_bps integer CHECK (max_pool_fee_bps BETWEEN 0 AND 10000),
    ADD COLUMN max_round_trip_loss_bps integer CHECK (max_round_trip_loss_bps BETWEEN 0 AND 10000),
    ADD COLUMN max_holder_bps integer CHECK (max_holder_bps BETWEEN 0 AND 10000),
    ADD COLUMN allowed_traits text,  -- accepted traits of the token, separated with commas
    ADD CONSTRAINT on_liquidity_says_how_much CHECK (
        (kind = 'on_liquidity') = (min_liquidity IS NOT NULL)
        AND (kind <> 'on_liquidity' OR limit_price IS NOT NULL));
"""

DOWN = """
ALTER TABLE orders DROP CONSTRAINT on_liquidity_says_how_much;
-- An older release would ignore their conditions and buy immediately.
UPDATE orders SET status = 'cancelled', looks_from = NULL, due_at = NULL, lease_owner = NULL, lease_until = NULL,
    waits_for = NULL, waits_since = NULL
WHERE kind = 'on_liquidity' AND ended_as IS NULL AND status <> 'submitted';
UPDATE orders SET kind = 'limit' WHERE kind = 'on_liquidity';
ALTER TABLE orders
    DROP COLUMN allowed_traits,
    DROP COLUMN max_holder_bps,
    DROP COLUMN max_round_trip_loss_bps,
    DROP COLUMN max_pool_fee_bps,
    DROP COLUMN min_liquidity;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
