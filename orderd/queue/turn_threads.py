"""Dramatiq's worker, whose idle threads wait for a message without polling.

Dramatiq's threads wake up several times per second to see whether they should stop: with ten threads that was a third
of all wake-ups of an idle process.
"""

from queue import Empty, PriorityQueue
from typing import Any

from dramatiq import Broker, Worker


class WorkQueue(PriorityQueue[Any]):
    """The messages for the threads. A wait ends with a message, or when the queue is closed."""

    def __init__(self) -> None:
        super().__init__()
        self._is_closed = False

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, ARG002
        """The next message; ``timeout`` has no effect. Raises Empty if there is none and the queue is closed."""
        with self.not_empty:
            while block and not self._qsize() and not self._is_closed:
                self.not_empty.wait()
            if not self._qsize():
                raise Empty
            return self._get()

    def close(self) -> None:
        """End all waits, now and from now on."""
        with self.not_empty:
            self._is_closed = True
            self.not_empty.notify_all()


class TurnWorker(Worker):
    """``poll_ms`` bounds the waits of the consumer, which fetches the messages."""

    def __init__(self, broker: Broker, *, threads: int, poll_ms: int) -> None:
        super().__init__(broker, worker_threads=threads, worker_timeout=poll_ms)
        self.work_queue: WorkQueue = WorkQueue()

    def stop(self, timeout: int = 600_000) -> None:
        """Finish the running turns; ``timeout`` in milliseconds."""
        for thread in self.workers:
            thread.stop()
        self.work_queue.close()
        super().stop(timeout)
