"""SQL expressions for the age of rows and the end of waits."""

from typing import Final

DAYS_AGO: Final = (
    "statement_timestamp() - (SELECT greatest(moved, 0) FROM clock) * interval '1 second' - %(days)s * interval '1 day'"
)
"""SQL for the time before which rows are removed as old. A clock that was set forward does not make rows older, once
the jump has been detected."""

IT_IS: Final = "least(statement_timestamp(), coalesce(%s::timestamptz, 'infinity'))"
"""SQL for the time that the end of a wait is compared with: the time of the clock's reading, or an earlier one if the
clock was set back since."""
