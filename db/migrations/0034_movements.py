"""What came to the wallet and left it beside the fills, so that sums agree with the chain."""

from typing import Any

UP = """
CREATE TABLE movements (
    signature  text NOT NULL,
    mint       text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('deposit', 'withdrawal', 'trade', 'left_over', 'fee', 'rent')),
    slot       bigint NOT NULL,
    at         timestamptz NOT NULL,            -- of the block
    amount     numeric(20) NOT NULL CHECK (amount <> 0),    -- base units; of SOL lamports and wrapped ones together
    usdc       numeric CHECK (usdc > 0),        -- what one token cost then, in USDC; NULL where nobody knows
    sol        numeric CHECK (sol > 0),         -- the same in SOL
    PRIMARY KEY (signature, mint, kind)
);
CREATE INDEX movements_at ON movements (at);
CREATE TABLE reconciled (
    wallet  text PRIMARY KEY,
    slot    bigint NOT NULL                     -- up to there the wallet's transactions have been read
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
