"""Removes rows that are older than the settings say: a loop in each worker, a few rows at a time.

The retention of candles is not a setting, see ``orderd.domain.candles``.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from db import candles, retention
from db.connection import database
from db.retention import ROWS, Kept

INTERVAL_SECONDS: Final = 1.0
"""Pause between passes. Each pass removes more rows than orders add in this time."""
_REST_SECONDS: Final = 60.0
"""After a pass that found little."""
log = structlog.get_logger(__name__)


class Retention:
    """One pass at a time; one of several processes removes rows, and the others do nothing.

    ``days`` has the limits that are set. ``check_clock`` makes sure that Postgres' clock was not set.
    """

    def __init__(self, days: Mapping[Kept, int], check_clock: Callable[[], object] = lambda: None) -> None:
        self._days = days
        self._check_clock = check_clock
        self._rests_until = dict.fromkeys(days, 0.0)
        self._candles_rest_until = 0.0
        self._removed = dict.fromkeys(days, 0)

    def run_once(self) -> int:
        """Remove a few of the oldest rows of each kind. Returns how many."""
        now = time.monotonic()
        due = [kept for kept in self._days if now >= self._rests_until[kept]]
        candles_due = now >= self._candles_rest_until
        if not due and not candles_due:
            return 0
        with database.connection_context():
            self._check_clock()
            removed = sum(map(self._remove, due))
            return removed + (self._remove_candles() if candles_due else 0)

    def _remove_candles(self) -> int:
        removed = candles.remove_old()
        if not removed:
            self._candles_rest_until = time.monotonic() + _REST_SECONDS
        return removed

    def _remove(self, kept: Kept) -> int:
        removed = retention.remove(kept, self._days[kept])
        self._removed[kept] += removed
        if removed < ROWS:
            self._rests_until[kept] = time.monotonic() + _REST_SECONDS
            if rows := self._removed[kept]:
                log.info("removed old rows", action="removed", what=kept, rows=rows, days=self._days[kept])
                self._removed[kept] = 0
        return removed
