"""Hourly counts of refusals of callers without an API key, in a bounded table that is pruned."""

from typing import Any

UP = """
-- No column contains text of the caller, so that strangers influence neither the number of rows nor their content.
CREATE TABLE refusals (
    hour      timestamptz NOT NULL,
    address   text NOT NULL,    -- '' in the row that counts refusals beyond the limit of rows
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
