"""A role of orderd (simnet, gateway, worker) as a child process of ``orderd run``."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from orderd.embedded.child import Child, Meanwhile, ServiceProgram, in_silence
from orderd.embedded.notify import Notices
from orderd.whole_file import read_address

LIFE_SECONDS: Final = 10.0
"""A role that has been silent for this long counts as hanging."""


class Role:
    """Runs ``orderd NAME`` with its configuration in the environment, and receives its messages.

    The messages use a separate socket, which no client can fill and no other service can cut.
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
        """``descriptors`` are open files that it inherits."""
        self.name = name
        self._descriptors = descriptors
        self._env = dict(env)
        self._state_dir = state_dir
        self._stop_seconds = stop_seconds
        self._notices = Notices()
        self._is_ready = False
        self._times_ready = 0
        self._lived_at = time.monotonic()
        self._launched: Child | None = None
        self.status = ""
        """What it last said that it does."""

    def launch(self) -> None:
        """Begin to start it; ``start`` continues from there. It ends if this process dies before. Raises
        OrderdError."""
        self._launched = self._spawn()

    def start(self, meanwhile: Meanwhile = in_silence) -> Child:
        """Start it and wait until it is ready. Raises OrderdError or StopRequested.

        It is waited for as long as it reports the reason.
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
                lock=self._state_dir / f"{self.name}.lock",
                env=self._env | {"NOTIFY_SOCKET": self._notices.address},
                stop_seconds=self._stop_seconds,
                descriptors=self._descriptors,
            )
        )

    def receive(self) -> None:
        """Receive its messages since the last call."""
        for notice in self._notices.received():
            self._lived_at = time.monotonic()
            if notice.get("READY") == "1":
                self._is_ready = True
                self._times_ready += 1
            self.status = notice.get("STATUS", self.status)

    def reloads(self) -> Callable[[], bool]:
        """To be called before it is asked to read its settings again; what it returns says whether that is done."""
        self.receive()
        before = self._times_ready

        def is_done() -> bool:
            self.receive()
            return self._times_ready > before

        return is_done

    def lives(self) -> bool:
        """Whether it has recently shown that none of its loops hangs."""
        self.receive()
        return time.monotonic() - self._lived_at < LIFE_SECONDS

    def _listens(self, pid: int) -> bool:  # noqa: ARG002
        self.receive()
        return self._is_ready

    def _progress(self) -> str:
        self.receive()
        return self.status


class ListeningRole(Role):
    """A role that is ready when its address file names its process: ``pid``, and one or more addresses."""

    address: Mapping[str, Any]
    """What the role wrote into the file; known once it has been started."""

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

    def start(self, meanwhile: Meanwhile = in_silence) -> Child:
        """Start it and wait until it listens. Raises OrderdError or StopRequested.

        The port that it takes at first is taken again when it is restarted: other processes know it.
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
