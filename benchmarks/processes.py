"""Finds and signals the processes of a running daemon, to cause outages."""

import os
import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from orderd.process.temporary import Daemon

SERVICES: Final = ("postgres", "redis", "simnet", "worker", "gateway")
"""The names of the child processes of ``orderd run``, in starting order."""
STOP_SIGNALS: Final = {"postgres": signal.SIGINT}
"""Signals for an orderly stop, if it is not SIGTERM."""
_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.005


def pid_of(daemon: Daemon, service: str) -> int:
    """The service's process. Waits for it if it is being restarted. Raises TimeoutError."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (pid := _running(daemon, service)) is not None:
            return pid
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{service} was not restarted")


def tree_of(pid: int) -> list[int]:
    """The process and its descendants."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(each for child in children for each in tree_of(child))]


def send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


class KeptDown:
    """Kills a service whenever it is started, so that nothing listens at its address."""

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
    """The process in its lock file, if it is a living child of this daemon."""
    pid = int((daemon.log.parent / f"{service}.lock").read_text() or 0)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = stat.rpartition(")")[2].split()[:2]
    return pid if state not in "ZX" and int(parent) == daemon.process.pid else None
