"""Refusals of callers without a key: counted by the hour, in a table that is bounded and pruned."""

from typing import Any

UP = """
-- Nothing of it is in the caller's words, so that a stranger decides neither how many rows there are nor what they say.
CREATE TABLE refusals (
    hour      timestamptz NOT NULL,
    address   text NOT NULL,    -- '' in the row that counts what found no room of its own
    action    text NOT NULL CHECK (action <> ''),
    outcome   text NOT NULL CHECK (outcome <> ''),
    times     bigint NOT NULL CHECK (times >= 1),
    last_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (hour, address, action, outcome)
);
"""

DOWN = "DROP TABLE refusals"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
