"""The processes of a running daemon: which they are, and what is done to them. For outages of all kinds."""

import os
import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from orderd.process.temporary import Daemon

SERVICES: Final = ("postgres", "redis", "simnet", "worker", "gateway")
"""As ``orderd run`` names and starts them."""
STOP_SIGNALS: Final = {"postgres": signal.SIGINT}
"""What asks a service to stop in order, where that is not SIGTERM."""
_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.005


def pid_of(daemon: Daemon, service: str) -> int:
    """Its process; where it is just being started again, once it is there. Raises TimeoutError."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (pid := _running(daemon, service)) is not None:
            return pid
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{service} is not started again")


def tree_of(pid: int) -> list[int]:
    """The process and all that it has started."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(each for child in children for each in tree_of(child))]


def send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


class KeptDown:
    """A service that is killed, and again whenever it is started, so that nothing listens at its address."""

    def __init__(self, daemon: Daemon, service: str) -> None:
        self._daemon = daemon
        self._service = service
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._kill, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ends.set()
        self._thread.join()

    def _kill(self) -> None:
        while not self._ends.wait(_POLL_SECONDS):
            if (pid := _running(self._daemon, self._service)) is not None:
                send([pid], signal.SIGKILL)


def _running(daemon: Daemon, service: str) -> int | None:
    """The process that its lock names, if that is a child of this daemon and lives."""
    pid = int((daemon.log.parent / f"{service}.lock").read_text() or 0)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = stat.rpartition(")")[2].split()[:2]
    return pid if state not in "ZX" and int(parent) == daemon.process.pid else None
