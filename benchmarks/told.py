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


class Told:
    """All that it has told so far."""

    def __init__(self) -> None:
        self.notices: list[tuple[float, dict[str, str]]] = []

    def doubts(self, since: float) -> str:
        """The last ``STATUS=`` after ``since`` that is not the first of all, or what it adds to that; or ''."""
        statuses = [(at, notice["STATUS"]) for at, notice in self.notices if "STATUS" in notice]
        calm = statuses[0][1]
        told = [status for at, status in statuses if at >= since and status != calm]
        if not told or not told[-1].startswith(calm):
            return told[-1] if told else ""
        return told[-1].removeprefix(f"{calm} (").removesuffix(")")

    def wait_until_calm(self) -> None:
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
def listening(daemon: Daemon) -> Iterator[Told]:
    """Listen as a manager does, all the time: the kernel keeps no more than a few notices for one who does not."""
    told, ends = Told(), threading.Event()

    def listen() -> None:
        while not ends.is_set():
            if select.select([daemon.manager], [], [], _LOOK_SECONDS)[0]:
                told.notices += [(time.monotonic(), notice) for notice in daemon.manager.heard()]

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        ends.set()
        thread.join()
