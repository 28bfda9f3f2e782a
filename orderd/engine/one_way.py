"""A connection to Redis for commands whose answers nobody needs, so that their senders need not wait for them."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import redis

from orderd.best_effort import failed

Command = Sequence[str | bytes | int]
"""Its name and its arguments."""


class OneWay:
    """``send`` waits for the answers, ``try_to_send`` does not. All threads can call both.

    The answers to commands that were sent without waiting are read before the next command; an error is reported as a
    failure of ``what``.
    """

    def __init__(self, what: str, client: "redis.Redis") -> None:
        self._what = what
        self._client: Any = client  # kept, because it closes its connections when it is collected
        self._lock = threading.Lock()
        self._connection: Any = None
        self._owed = 0
        """Answers that have not been read."""

    def send(self, commands: Sequence[Command]) -> None:
        """Raises redis.RedisError if Redis refuses one of the commands, or does not answer in time."""
        with self._lock:
            self._read_owed()
            self._release()
            self._connection = self._client.connection_pool.get_connection()  # opened again if it was closed
            try:
                self._write(commands)
                refusals = self._answers()
            except BaseException:
                self._release()
                raise
        if refusals:
            raise refusals[0]

    def try_to_send(self, commands: Callable[[], Sequence[Command]]) -> bool:
        """Send commands if that cannot block; returns whether they were sent.

        It could block while another thread is sending, if the connection has to be opened, and while Redis has not
        answered the last commands.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if not self._is_free():
                return False
            self._write(commands())
        except redis.RedisError as error:
            if self._owed:
                failed(self._what, error)
            self._release()
            return False
        finally:
            self._lock.release()
        return True

    def close(self) -> None:
        """Give the connection back, unless another thread still waits for an answer."""
        if self._lock.acquire(blocking=False):
            self._release()
            self._lock.release()

    def _is_free(self) -> bool:
        """Whether the connection is open and nothing is left to be read."""
        if self._owed:
            if not self._connection.can_read():
                return False
            self._read_owed()
        if self._connection is not None and self._connection.can_read():  # raises an error if Redis has closed it
            self._release()
        return self._connection is not None

    def _write(self, commands: Sequence[Command]) -> None:
        self._connection.send_packed_command(self._connection.pack_commands(commands))
        self._owed = len(commands)

    def _read_owed(self) -> None:
        """Wait for the answers to commands that were sent without waiting."""
        try:
            for refusal in self._answers():
                failed(self._what, refusal)
        except redis.RedisError as error:
            failed(self._what, error)
            self._release()

    def _answers(self) -> list[redis.ResponseError]:
        """Read the owed answers; returns those that are errors."""
        refusals = []
        while self._owed:
            try:
                self._connection.read_response()
            except redis.ResponseError as refusal:
                refusals.append(refusal)
            self._owed -= 1
        return refusals

    def _release(self) -> None:
        if self._connection is None:
            return
        if self._owed:
            self._connection.disconnect()
            self._owed = 0
        self._client.connection_pool.release(self._connection)
        self._connection = None
