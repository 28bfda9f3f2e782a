"""When a row is old, and when a wait is over, in SQL."""

from typing import Final

DAYS_AGO: Final = (
    "statement_timestamp() - (SELECT greatest(moved, 0) FROM clock) * interval '1 second' - %(days)s * interval '1 day'"
)
"""SQL for the moment before which rows are removed as old. A clock that was set ahead makes nothing older, as long as
it was noticed."""

IT_IS: Final = "least(statement_timestamp(), coalesce(%s::timestamptz, 'infinity'))"
"""SQL for the time with which the end of a wait is compared: that of the clock's reading, unless it was set back
since."""
