"""The running gateways and workers, so that others take over the orders of a dead one."""

from typing import Any

UP = """
CREATE TABLE processes (
    name     text PRIMARY KEY,           -- as in orders.lease_owner
    machine  text NOT NULL,              -- boot id and namespace of process ids, within which pid is valid
    pid      integer NOT NULL,
    started  bigint NOT NULL,            -- clock ticks since the boot; no later process has the same pid and start
    beats    bigint NOT NULL DEFAULT 0   -- grows while the process lives
);
"""

DOWN = "DROP TABLE processes"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
