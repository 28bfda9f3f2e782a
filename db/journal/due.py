"""SQL expressions for due times and validity, by the clock of Postgres."""

from typing import Final

from orderd.domain.events import RATE_LIMIT

IN_LINE_SECONDS: Final = 30
"""How long an order may wait in the queue before dispatch enqueues it again, whatever happened to its sender."""
IN_LINE: Final = f"interval '{IN_LINE_SECONDS} seconds'"
VALID_UNTIL: Final = f"""
    valid_until + CASE WHEN waits_for = '{RATE_LIMIT}' AND expires_at IS NULL
                  THEN clock_timestamp() - waits_since ELSE interval '0' END"""
"""SQL for the end of the validity; NULL without a limit. The time that an order waits for a start does not count,
unless the validity was given as a date."""
IS_VALID: Final = f"AND (valid_until IS NULL OR {VALID_UNTIL} > clock_timestamp())"
VALIDITY: Final = {None: "", True: IS_VALID, False: f"AND {VALID_UNTIL} <= clock_timestamp()"}


def due(delay_ms: str, latest: str = "valid_until") -> str:
    """SQL for a time ``delay_ms`` from now, but at most ``latest``; NULL means no limit."""
    return f"LEAST(clock_timestamp() + {delay_ms} * interval '1 millisecond', {latest})"
