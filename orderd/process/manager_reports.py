"""What ``orderd run`` reports to its service manager: what it waits for, and that the daemon makes progress."""

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
    """The service manager, for reports of what is waited for and that the daemon is alive."""

    def __init__(self, manager: ServiceManager) -> None:
        self.manager = manager
        self.alive: Callable[[], None] = lambda: None
        """Says so where that is so; what a service's start holds up, it does not hold up."""
        self._what = ""
        self._reported_at = 0.0

    def waits(self, what: str) -> None:
        """Log a new reason to wait, and ask for more time."""
        now = time.monotonic()
        if now - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = now
        kind = what.partition(" (")[0]
        if kind != self._what:
            self._what = kind
            _log.info("waits", action="waiting", what=what)
        self.manager.notify(f"STATUS=waiting for {what}", EXTENSION)
        self.alive()

    def waits_briefly(self, what: str) -> None:
        """The same, and let a second pass. Raises StopRequested."""
        self.waits(what)
        if signal.sigtimedwait(stop_signals(), 1.0) is not None:
            raise StopRequested

    def stops(self) -> None:
        """From now on the time that each service has to stop bounds everything, whether or not it shows life."""
        self.alive = lambda: self.manager.notify("WATCHDOG=1")
        self.manager.notify("STOPPING=1", "STATUS=stopping")
