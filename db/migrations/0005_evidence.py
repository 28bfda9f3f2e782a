"""The evidence for the proof of an expiry, fills that can still be rolled back, and unknown outcomes."""

from typing import Any

UP = """
ALTER TYPE attempt_outcome ADD VALUE 'abandoned';  -- declared dead by an operator, without a proof

ALTER TABLE attempts
    ADD COLUMN blockhash_slot   bigint,  -- the context slot of the blockhash; null for attempts of earlier versions
    ADD COLUMN awaits_finality  boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT only_what_landed_awaits_finality CHECK (outcome = 'landed' OR NOT awaits_finality);
CREATE INDEX attempts_not_final ON attempts (order_id) WHERE awaits_finality;

ALTER TABLE orders
    ADD COLUMN unknown_since  timestamptz,
    ADD CONSTRAINT only_what_is_signed_is_unknown CHECK (unknown_since IS NULL OR status = 'submitted');
"""

DOWN = """
ALTER TABLE orders DROP COLUMN unknown_since;
ALTER TABLE attempts DROP COLUMN blockhash_slot, DROP COLUMN awaits_finality;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    # The outcome remains, because Postgres cannot drop a value of an enum.
    db.execute_sql(DOWN)
