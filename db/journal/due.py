"""When an order is due, and until when it is valid, as SQL by the clock of Postgres."""

from typing import Final

from orderd.domain.events import RATE_LIMIT

IN_LINE_SECONDS: Final = 30
"""How long an order may lie in the queue before dispatch sends it again, whatever happened to the process that sent
it."""
IN_LINE: Final = f"interval '{IN_LINE_SECONDS} seconds'"
VALID_UNTIL: Final = f"""
    valid_until + CASE WHEN waits_for = '{RATE_LIMIT}' AND expires_at IS NULL
                  THEN clock_timestamp() - waits_since ELSE interval '0' END"""
"""The time that an order waits for a start does not count against its validity, unless that was given as a date. NULL
if the validity has no end."""
IS_VALID: Final = f"AND (valid_until IS NULL OR {VALID_UNTIL} > clock_timestamp())"
VALIDITY: Final = {None: "", True: IS_VALID, False: f"AND {VALID_UNTIL} <= clock_timestamp()"}


def due(delay_ms: str, latest: str = "valid_until") -> str:
    """So many milliseconds from now, or when the order is no longer valid. A ``latest`` of NULL means no limit."""
    return f"LEAST(clock_timestamp() + {delay_ms} * interval '1 millisecond', {latest})"
