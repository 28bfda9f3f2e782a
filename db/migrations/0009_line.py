"""The reason for which an order waits, so that the first order in the queue is found when a start becomes free."""

from typing import Any

UP = """
ALTER TABLE orders ADD COLUMN waits_for text;  -- the reason of the last deferral, until the next event
CREATE INDEX orders_in_line ON orders (id) WHERE waits_for = 'rate limit';

UPDATE orders o SET waits_for = e.data->>'reason' FROM order_events e
WHERE o.status = 'pending' AND e.order_id = o.id AND e.seq = o.seq AND e.kind = 'deferred';
"""

DOWN = """
DROP INDEX orders_in_line;
ALTER TABLE orders DROP COLUMN waits_for;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
