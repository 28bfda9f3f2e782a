"""What a process reports to its service manager, in systemd's protocol (sd_notify(3)), and how a manager receives it.

``orderd run`` receives the same from its own children, so a role reports alike under either. Nothing is ever waited
for: a manager that does not listen does not stop the process from working. sdnotify (2017) does the first half alone.
"""

import os
import socket
import time
import weakref
from contextlib import suppress
from functools import cache
from typing import Final

EXTENSION: Final = "EXTEND_TIMEOUT_USEC=30000000"
"""Asks the manager for half a minute more, again and again while something is waited for."""
LIFE_SECONDS: Final = 1.0
"""How often a process shows that it lives."""
_VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager:
    """The manager that ``NOTIFY_SOCKET`` names; without one, nothing happens.

    The variables are removed from the environment: this process reports on the processes that it starts.
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
        """How long the manager waits for a sign of life; None if it does not watch."""
        for variable in _VARIABLES:
            os.environ.pop(variable, None)

    @property
    def is_there(self) -> bool:
        return self._socket is not None

    def notify(self, *assignments: str) -> None:
        """Such as ``READY=1``. If the manager cannot be reached, this neither fails nor waits."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto("\n".join(assignments).encode(), self._address)


def reloading() -> tuple[str, str]:
    """What announces a reload, which READY=1 ends (sd_notify(3))."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"


@cache
def service_manager() -> ServiceManager:
    """This process' own."""
    return ServiceManager()


class Notices:
    """What the children of a manager report to it, each at an abstract address of its own (unix(7))."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        weakref.finalize(self, self._socket.close)
        self._socket.setblocking(False)
        self._socket.bind(b"")  # takes an address of the kernel's choice
        self.address: str = "@" + self._socket.getsockname()[1:].decode()
        """For the child's ``NOTIFY_SOCKET``."""

    def fileno(self) -> int:
        """For ``select``: readable when there is something to hear."""
        return self._socket.fileno()

    def received(self) -> list[dict[str, str]]:
        """What has come since, oldest first, each as its assignments by name."""
        found: list[dict[str, str]] = []
        with suppress(BlockingIOError):
            while True:
                lines = self._socket.recv(65_536).decode(errors="replace").splitlines()
                found.append({name: value for name, _, value in (line.partition("=") for line in lines)})
        return found
