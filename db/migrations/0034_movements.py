"""Changes of the wallet's balances other than fills, so that sums agree with the chain."""

from typing import Any

UP = """
CREATE TABLE movements (
    signature  text NOT NULL,
    mint       text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('deposit', 'withdrawal', 'trade', 'left_over', 'fee', 'rent')),
    slot       bigint NOT NULL,
    at         timestamptz NOT NULL,            -- of the block
    amount     numeric(20) NOT NULL CHECK (amount <> 0),    -- base units; for SOL, lamports including wrapped ones
    usdc       numeric CHECK (usdc > 0),        -- price of the token at that time, in USDC; NULL if unknown
    sol        numeric CHECK (sol > 0),         -- the same in SOL
    PRIMARY KEY (signature, mint, kind)
);
CREATE INDEX movements_at ON movements (at);
CREATE TABLE reconciled (
    wallet  text PRIMARY KEY,
    slot    bigint NOT NULL                     -- slot up to which the wallet's transactions have been read
);
"""

DOWN = """
DROP TABLE reconciled;
DROP TABLE movements;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
