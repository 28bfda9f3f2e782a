"""The queue for starts, in which fired stops precede all other orders."""

from typing import Any

UP = """
DROP INDEX orders_in_line;
CREATE INDEX orders_in_line ON orders ((kind IN ('stop', 'stop_limit', 'trailing')) DESC, id)
    WHERE waits_for = 'rate limit';
"""

DOWN = """
DROP INDEX orders_in_line;
CREATE INDEX orders_in_line ON orders (id) WHERE waits_for = 'rate limit';
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
