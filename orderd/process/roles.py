"""A role of orderd (simnet, gateway, worker) as a child process of ``orderd run``."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from orderd.embedded.child import Child, Meanwhile, ServiceProgram, ignore_wait
from orderd.embedded.notify import NotificationReceiver
from orderd.whole_file import read_address

SILENCE_SECONDS: Final = 10.0
"""A role without a sign of life for longer is considered hanging."""


def lock_of(state_dir: Path, role: str) -> Path:
    """The file that a role's process locks while it runs."""
    return state_dir / f"{role}.lock"


class Role:
    """Runs ``orderd NAME`` with its configuration in the environment, and receives its notifications.

    Notifications arrive on a separate socket, which neither clients nor other services can block.
    """

    def __init__(
        self,
        name: str,
        state_dir: Path,
        env: Mapping[str, str],
        stop_seconds: float,
        *,
        descriptors: Sequence[int] = (),
    ) -> None:
        """``descriptors`` are open file descriptors that it inherits."""
        self.name = name
        self._descriptors = descriptors
        self._env = dict(env)
        self._state_dir = state_dir
        self._stop_seconds = stop_seconds
        self._notices = NotificationReceiver()
        self._is_ready = False
        self._times_ready = 0
        self._lived_at = time.monotonic()
        self._launched: Child | None = None
        self.status = ""
        """Its last status text."""

    def launch(self) -> None:
        """Start the process without waiting; ``start`` then waits for it. Raises OrderdError."""
        self._launched = self._spawn()

    def start(self, meanwhile: Meanwhile = ignore_wait) -> Child:
        """Start it and wait until it is ready. Raises OrderdError or StopRequested.

        The wait continues as long as the role reports progress.
        """
        child, self._launched = self._launched or self._spawn(), None
        child.wait_until(lambda: self._listens(child.pid), progress=self._progress, meanwhile=meanwhile)
        self._lived_at = time.monotonic()
        return child

    def _spawn(self) -> Child:
        self.receive()
        self._is_ready, self.status = False, ""
        return Child(
            ServiceProgram(
                name=self.name,
                argv=[sys.executable, "-m", "orderd.main", self.name],
                log=None,
                lock=lock_of(self._state_dir, self.name),
                env=self._env | {"NOTIFY_SOCKET": self._notices.address},
                stop_seconds=self._stop_seconds,
                descriptors=self._descriptors,
            )
        )

    def receive(self) -> None:
        """Process the notifications since the last call."""
        for notice in self._notices.received():
            self._lived_at = time.monotonic()
            if notice.get("READY") == "1":
                self._is_ready = True
                self._times_ready += 1
            self.status = notice.get("STATUS", self.status)

    def watch_reload(self) -> Callable[[], bool]:
        """Call this before requesting a reload. The returned function tells whether the reload is complete."""
        self.receive()
        before = self._times_ready

        def is_done() -> bool:
            self.receive()
            return self._times_ready > before

        return is_done

    def is_alive(self) -> bool:
        """Whether it has recently sent a sign of life."""
        self.receive()
        return time.monotonic() - self._lived_at < SILENCE_SECONDS

    def _listens(self, pid: int) -> bool:  # noqa: ARG002
        self.receive()
        return self._is_ready

    def _progress(self) -> str:
        self.receive()
        return self.status


class ListeningRole(Role):
    """A role that listens on a port. It is ready once its address file contains its process id and its addresses."""

    address: Mapping[str, Any]
    """The content of the address file; set by ``start``."""

    def __init__(
        self,
        name: str,
        state_dir: Path,
        env: Mapping[str, str],
        stop_seconds: float,
        *,
        address_file: Path,
        url_field: str,
        port_variable: str,
        descriptors: Sequence[int] = (),
    ) -> None:
        super().__init__(name, state_dir, env, stop_seconds, descriptors=descriptors)
        self._address_file = address_file
        self._url_field = url_field
        self._port_variable = port_variable

    @property
    def url(self) -> str:
        url: str = self.address[self._url_field]
        return url

    def start(self, meanwhile: Meanwhile = ignore_wait) -> Child:
        """Start it and wait until it listens. Raises OrderdError or StopRequested.

        A restarted role gets the same port again, because other processes use it.
        """
        child = super().start(meanwhile)
        self._env[self._port_variable] = str(urlsplit(self.url).port)
        return child

    def _listens(self, pid: int) -> bool:
        try:
            written = read_address(self._address_file)
        except FileNotFoundError:
            return False
        if written["pid"] != pid:
            return False
        self.address = written
        return True
