"""Which gateways and workers there are, so that others take up what one of them leaves behind when it is gone."""

from typing import Any

UP = """
CREATE TABLE processes (
    name     text PRIMARY KEY,           -- as in orders.lease_owner
    machine  text NOT NULL,              -- a boot of a kernel and a namespace of process ids: where pid means something
    pid      integer NOT NULL,
    started  bigint NOT NULL,            -- clock ticks since that boot; no later process has the same pid and start
    beats    bigint NOT NULL DEFAULT 0   -- grows while the process lives
);
"""

DOWN = "DROP TABLE processes"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
