"""Ends waits for a server that no longer responds.

A dead server closes the connection, and a running one cancels a long statement (``statement_timeout``). A server that
is frozen or disconnected does neither, and the driver would wait for ever. So the client has a time-out per statement
too: it shuts down the socket, and the driver reports a lost connection.
"""

import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from psycopg2 import Error
from psycopg2.extensions import connection

_CHECK_SECONDS: Final = 0.1
"""Minimum pause between two checks."""


class Overdue:
    """Watches the statements of all threads, from a thread that starts with the first statement."""

    def __init__(self) -> None:
        self._waits: dict[int, tuple[float, connection]] = {}
        self._shortest = math.inf
        self._shorter = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def bounded(self, waiting: connection, seconds: float) -> Iterator[None]:
        """Within the block, shut down the connection after ``seconds``."""
        key = threading.get_ident()
        with self._lock:
            self._waits[key] = time.monotonic() + seconds, waiting
            if seconds < self._shortest:
                self._shortest = seconds
                self._shorter.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._check, name="overdue", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._waits[key]

    def _check(self) -> None:
        while True:
            now = time.monotonic()
            # While the lock is held, no wait can end, so no descriptor can be closed and reused.
            with self._lock:
                for ends_at, waiting in self._waits.values():
                    if ends_at < now:
                        _hang_up(waiting)
                # A statement that begins later is not overdue before the shortest time-out is over.
                next_end = min((ends_at - now for ends_at, _ in self._waits.values()), default=math.inf)
                pause = max(min(next_end, self._shortest), _CHECK_SECONDS)
                self._shorter.clear()
            self._shorter.wait(min(pause, threading.TIMEOUT_MAX))


def _hang_up(waiting: connection) -> None:
    # An error means that the connection has just been lost or closed.
    with suppress(OSError, Error), socket.socket(fileno=os.dup(waiting.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)
