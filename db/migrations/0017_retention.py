"""Removal by age: indexes of the oldest rows, and the number of removed rows.

Only the signed bytes of a settled, final attempt are removed; its outcome is kept.
"""

from typing import Any

UP = """
ALTER TABLE attempts
    ALTER COLUMN signed_bytes DROP NOT NULL,
    ADD CONSTRAINT what_may_land_has_its_bytes
        CHECK (signed_bytes IS NOT NULL OR (outcome <> 'live' AND NOT awaits_finality));
CREATE INDEX attempts_ended ON attempts (settled_at)
    WHERE signed_bytes IS NOT NULL AND outcome <> 'live' AND NOT awaits_finality;
CREATE INDEX order_failures_at ON order_failures (at);
CREATE INDEX notionals_at ON notionals (at);

CREATE TABLE removals (
    kept  text PRIMARY KEY,              -- the setting that defines the age
    rows  bigint NOT NULL DEFAULT 0
);
"""

DOWN = """
DROP TABLE removals;
DROP INDEX notionals_at, order_failures_at, attempts_ended;
ALTER TABLE attempts DROP CONSTRAINT what_may_land_has_its_bytes;
-- Removed bytes belong to transactions that cannot land any more. A single byte replaces them.
UPDATE attempts SET signed_bytes = '\\x00' WHERE signed_bytes IS NULL;
ALTER TABLE attempts ALTER COLUMN signed_bytes SET NOT NULL;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
