"""What the service manager is told: sd_notify(3). Without one, nothing happens."""

import os

from sdnotify import SystemdNotifier


class ServiceManager:
    """The manager that ``NOTIFY_SOCKET`` names. The variables are taken out of the environment: children are not it."""

    def __init__(self) -> None:
        self._notifier = SystemdNotifier() if "NOTIFY_SOCKET" in os.environ else None
        microseconds = int(os.environ.get("WATCHDOG_USEC", "0"))
        self.watchdog_seconds: float | None = microseconds / 1e6 if microseconds and self._notifier else None
        """How long the manager waits for a sign of life; None where it does not watch."""
        for variable in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            os.environ.pop(variable, None)

    def tell(self, *assignments: str) -> None:
        """Such as ``READY=1``. A manager that cannot be reached is no reason to fail."""
        if self._notifier is not None:
            self._notifier.notify("\n".join(assignments))
