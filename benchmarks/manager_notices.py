"""The notices of a daemon to its service manager."""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

from orderd.process.temporary import Daemon

_POLL_SECONDS: Final = 0.2
_NO_CLIENTS: Final = "connections: 0, subscriptions: 0"
_HEALTHY: Final = f"{_NO_CLIENTS})"
"""The end of the status of a healthy daemon without clients."""
_BEFORE_PROBLEMS: Final = f"{_NO_CLIENTS}; "


class ManagerNotices:
    """All notices so far, with their times on the monotonic clock."""

    def __init__(self) -> None:
        self.notices: list[tuple[float, dict[str, str]]] = []

    def problems(self, since: float) -> str:
        """The problems in the last ``STATUS=`` after ``since`` that has some, else ''."""
        reported = [status for at, status in self._statuses() if at >= since and not status.endswith(_HEALTHY)]
        return reported[-1].partition(_BEFORE_PROBLEMS)[2].removesuffix(")") or reported[-1] if reported else ""

    def wait_until_settled(self) -> None:
        """Wait until the last ``STATUS=`` reports no problem."""
        while not (statuses := self._statuses()) or not statuses[-1][1].endswith(_HEALTHY):
            time.sleep(_POLL_SECONDS)

    def _statuses(self) -> list[tuple[float, str]]:
        return [(at, notice["STATUS"]) for at, notice in list(self.notices) if "STATUS" in notice]

    def longest_silence(self, since: float, until: float) -> float:
        """The longest time without ``WATCHDOG=1`` between two moments, in seconds."""
        alive = [at for at, notice in self.notices if notice.get("WATCHDOG") == "1" and since < at < until]
        return max(later - earlier for earlier, later in pairwise([since, *alive, until]))


@contextmanager
def listening(daemon: Daemon) -> Iterator[ManagerNotices]:
    """Receive the notices continuously, because the kernel queues only a few."""
    notices, ends = ManagerNotices(), threading.Event()

    def listen() -> None:
        while not ends.is_set():
            if select.select([daemon.manager], [], [], _POLL_SECONDS)[0]:
                notices.notices += [(time.monotonic(), notice) for notice in daemon.manager.received()]

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield notices
    finally:
        ends.set()
        thread.join()
