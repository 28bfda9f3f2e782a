"""Transactions of version 1 have up to 4,096 bytes.

The downgrade fails while bytes longer than those of version 0 are stored.
"""

from typing import Any

UP = """
ALTER TABLE attempts
    DROP CONSTRAINT attempts_signed_bytes_check,
    ADD CONSTRAINT attempts_signed_bytes_check CHECK (length(signed_bytes) BETWEEN 1 AND 4096);
"""

DOWN = """
ALTER TABLE attempts
    DROP CONSTRAINT attempts_signed_bytes_check,
    ADD CONSTRAINT attempts_signed_bytes_check CHECK (length(signed_bytes) BETWEEN 1 AND 1232);
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
