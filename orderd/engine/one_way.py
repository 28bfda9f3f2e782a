"""A connection to Redis for commands whose answers nobody needs, so that their senders need not wait for them."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import redis

from orderd.best_effort import failed

Command = Sequence[str | bytes | int]


class OneWay:
    """``send`` waits for the answer, ``try_to_send`` does not. All threads can call both.

    The answer to a command that was sent without waiting is read before the next command; if it is an error, it is
    reported as a failure of ``what``.
    """

    def __init__(self, what: str, client: "redis.Redis") -> None:
        self._what = what
        self._client: Any = client  # kept, because it closes its connections when it is collected
        self._lock = threading.Lock()
        self._connection: Any = None
        self._owes_answer = False

    def send(self, *command: str | bytes | int) -> None:
        """Raises redis.RedisError if Redis refuses the command, or does not answer in time."""
        with self._lock:
            if self._owes_answer:
                self._read_answer()
            self._release()
            self._connection = self._client.connection_pool.get_connection()  # opened again if it was closed
            try:
                self._connection.send_command(*command)
                self._connection.read_response()
            except redis.ResponseError:
                raise
            except BaseException:
                self._release()
                raise

    def try_to_send(self, command: Callable[[], Command]) -> bool:
        """Send a command if that cannot block; returns whether it was sent.

        It could block while another thread is sending, if the connection has to be opened, and while Redis has not
        answered the last command.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            connection = self._free()
            if connection is None:
                return False
            connection.send_command(*command())
            self._owes_answer = True
        except redis.RedisError as error:
            if self._owes_answer:
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

    def _free(self) -> Any:  # noqa: ANN401  (as the library has it)
        """The connection, if it is open and nothing is left to be read."""
        if self._owes_answer:
            if not self._connection.can_read():
                return None
            self._read_answer()
        if self._connection is not None and self._connection.can_read():  # raises an error if Redis has closed it
            self._release()
        return self._connection

    def _read_answer(self) -> None:
        """Wait for the answer to a command that was sent without waiting."""
        self._owes_answer = False
        try:
            self._connection.read_response()
        except redis.RedisError as error:
            failed(self._what, error)
            if not isinstance(error, redis.ResponseError):
                self._release()

    def _release(self) -> None:
        if self._connection is None:
            return
        if self._owes_answer:
            self._connection.disconnect()
            self._owes_answer = False
        self._client.connection_pool.release(self._connection)
        self._connection = None
