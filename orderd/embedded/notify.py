"""Both sides of systemd's notification protocol (sd_notify(3)): sending to a service manager, and receiving from
children.

``orderd run`` is the service manager of its roles, so a role reports in the same way to either. Sending never blocks: a
manager that does not listen does not stop the process. The sdnotify package (2017) implements only the sending side.
"""

import os
import socket
import time
import weakref
from contextlib import suppress
from functools import cache
from typing import Final

EXTENSION: Final = "EXTEND_TIMEOUT_USEC=30000000"
"""Requests 30 more seconds from the manager; sent repeatedly during a wait."""
ALIVE_SECONDS: Final = 1.0
"""Interval of the signs of life of a process."""
_VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager:
    """The service manager that ``NOTIFY_SOCKET`` names. Without one, all methods do nothing.

    The variables are removed from the environment, because child processes must report to this process.
    """

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if address.startswith(("@", "/")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
        microseconds = os.environ.get("WATCHDOG_USEC", "0")
        is_watched = self._socket is not None and microseconds.isdecimal() and int(microseconds) > 0
        self.watchdog_seconds: float | None = int(microseconds) / 1e6 if is_watched else None
        """Maximum interval between signs of life; None without a watchdog."""
        for variable in _VARIABLES:
            os.environ.pop(variable, None)

    @property
    def is_there(self) -> bool:
        return self._socket is not None

    def notify(self, *assignments: str) -> None:
        """Send assignments such as ``READY=1``. Neither blocks nor fails if the manager cannot be reached."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto("\n".join(assignments).encode(), self._address)


def reloading() -> tuple[str, str]:
    """The assignments that announce a reload. READY=1 ends it (sd_notify(3))."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"


@cache
def service_manager() -> ServiceManager:
    """The service manager of this process."""
    return ServiceManager()


class NotificationReceiver:
    """Receives the notifications of one child, at an abstract socket address (unix(7))."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        weakref.finalize(self, self._socket.close)
        self._socket.setblocking(False)
        self._socket.bind(b"")  # the kernel chooses the address
        self.address: str = "@" + self._socket.getsockname()[1:].decode()
        """The value for the child's ``NOTIFY_SOCKET``."""

    def fileno(self) -> int:
        """For ``select``: readable when a notification has arrived."""
        return self._socket.fileno()

    def received(self) -> list[dict[str, str]]:
        """The notifications since the last call, oldest first: values by name."""
        found: list[dict[str, str]] = []
        with suppress(BlockingIOError):
            while True:
                lines = self._socket.recv(65_536).decode(errors="replace").splitlines()
                found.append({name: value for name, _, value in (line.partition("=") for line in lines)})
        return found
