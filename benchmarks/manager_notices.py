"""What a daemon tells its service manager, and when."""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

from orderd.process.temporary import Daemon

_LOOK_SECONDS: Final = 0.2


class ManagerNotices:
    """All that it has told so far."""

    def __init__(self) -> None:
        self.notices: list[tuple[float, dict[str, str]]] = []

    def doubts(self, since: float) -> str:
        """The last ``STATUS=`` after ``since`` that is not the first of all, or what it adds to that; or ''."""
        statuses = [(at, notice["STATUS"]) for at, notice in self.notices if "STATUS" in notice]
        usual = statuses[0][1]
        notices = [status for at, status in statuses if at >= since and status != usual]
        if not notices or not notices[-1].startswith(usual):
            return notices[-1] if notices else ""
        return notices[-1].removeprefix(f"{usual} (").removesuffix(")")

    def wait_until_settled(self) -> None:
        """Wait until it says nothing else than in the beginning."""
        while True:
            statuses = [notice["STATUS"] for _, notice in list(self.notices) if "STATUS" in notice]
            if statuses and statuses[-1] == statuses[0]:
                return
            time.sleep(_LOOK_SECONDS)

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
