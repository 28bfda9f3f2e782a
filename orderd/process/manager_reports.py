"""What ``orderd run`` reports to its service manager: the reasons of waits, and signs of life."""

import signal
import time
from collections.abc import Callable
from typing import Final

import structlog

from orderd.embedded.child import StopRequested, stop_signals
from orderd.embedded.notify import EXTENSION, ServiceManager

REPORT_SECONDS: Final = 1.0
_log = structlog.get_logger(__name__)


class ManagerReports:
    """Reports waits and signs of life to the service manager."""

    def __init__(self, manager: ServiceManager) -> None:
        self.manager = manager
        self.alive: Callable[[], None] = lambda: None
        """Sends a sign of life if the daemon is healthy. It is also called during waits, so that a slow start of a
        service does not trigger the watchdog."""
        self._what = ""
        self._reported_at = 0.0

    def waits(self, what: str) -> None:
        """Log a new reason to wait, and request more time."""
        now = time.monotonic()
        if now - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = now
        kind = what.partition(" (")[0]
        if kind != self._what:
            self._what = kind
            _log.info("waiting", action="waiting", what=what)
        self.manager.notify(f"STATUS=waiting for {what}", EXTENSION)
        self.alive()

    def waits_briefly(self, what: str) -> None:
        """Report the wait and wait for a second. Raises StopRequested."""
        self.waits(what)
        if signal.sigtimedwait(stop_signals(), 1.0) is not None:
            raise StopRequested

    def stops(self) -> None:
        """Report that the daemon stops. From now on signs of life are unconditional: each service has its own time
        limit to stop."""
        self.alive = lambda: self.manager.notify("WATCHDOG=1")
        self.manager.notify("STOPPING=1", "STATUS=stopping")
