"""What a daemon reports to its service manager, and when."""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

from orderd.process.temporary import Daemon

_LOOK_SECONDS: Final = 0.2
_NOBODY: Final = "connections: 0, subscriptions: 0"
_USUAL: Final = f"{_NOBODY})"
"""The end of the status of a daemon without difficulties, to which nobody is connected."""
_USUAL_FOLLOWED: Final = f"{_NOBODY}; "


class ManagerNotices:
    """All notices so far, with their times on the monotonic clock."""

    def __init__(self) -> None:
        self.notices: list[tuple[float, dict[str, str]]] = []

    def doubts(self, since: float) -> str:
        """What the last ``STATUS=`` after ``since`` that reports a difficulty adds to the usual one, else ''."""
        reported = [status for at, status in self._statuses() if at >= since and not status.endswith(_USUAL)]
        return reported[-1].partition(_USUAL_FOLLOWED)[2].removesuffix(")") or reported[-1] if reported else ""

    def wait_until_settled(self) -> None:
        """Wait until the last ``STATUS=`` reports no difficulty."""
        while not (statuses := self._statuses()) or not statuses[-1][1].endswith(_USUAL):
            time.sleep(_LOOK_SECONDS)

    def _statuses(self) -> list[tuple[float, str]]:
        return [(at, notice["STATUS"]) for at, notice in list(self.notices) if "STATUS" in notice]

    def longest_silence(self, since: float, until: float) -> float:
        """Seconds without ``WATCHDOG=1``, at most, between two moments."""
        alive = [at for at, notice in self.notices if notice.get("WATCHDOG") == "1" and since < at < until]
        return max(later - earlier for earlier, later in pairwise([since, *alive, until]))


@contextmanager
def listening(daemon: Daemon) -> Iterator[ManagerNotices]:
    """Listen as a manager does, all the time: the kernel keeps no more than a few notices for one who does not."""
    notices, ends = ManagerNotices(), threading.Event()

    def listen() -> None:
        while not ends.is_set():
            if select.select([daemon.manager], [], [], _LOOK_SECONDS)[0]:
                notices.notices += [(time.monotonic(), notice) for notice in daemon.manager.received()]

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield notices
    finally:
        ends.set()
        thread.join()
