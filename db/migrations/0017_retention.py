"""What is removed by age: indexes that lead to the oldest of it, and how much has been removed so far.

Of an attempt the bytes alone go, and only where it has ended for good; what became of it stays.
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
    kept  text PRIMARY KEY,              -- which setting it was removed by
    rows  bigint NOT NULL DEFAULT 0
);
"""

DOWN = """
DROP TABLE removals;
DROP INDEX notionals_at, order_failures_at, attempts_ended;
ALTER TABLE attempts DROP CONSTRAINT what_may_land_has_its_bytes;
-- Bytes that are gone were of transactions that can land no more; one that is none takes their place.
UPDATE attempts SET signed_bytes = '\\x00' WHERE signed_bytes IS NULL;
ALTER TABLE attempts ALTER COLUMN signed_bytes SET NOT NULL;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
