"""Concurrent requests with the same Idempotency-Key: the second gets an error, and does not wait for the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from orderd.domain.errors import ErrorCode, OrderdError


class KeysInProgress:
    """The Idempotency-Keys of this gateway whose order is being stored.

    Only an optimization: a request at another gateway waits in the database, and gets the same order.
    """

    def __init__(self) -> None:
        self._held: set[tuple[UUID, str]] = set()

    @contextmanager
    def holding(self, account_id: UUID, key: str) -> Iterator[None]:
        """Mark an account's key as in progress during a request. Raises OrderdError REQUEST_IN_PROGRESS."""
        if (account_id, key) in self._held:
            raise OrderdError(
                ErrorCode.REQUEST_IN_PROGRESS, f"another request with the key {key} is not answered yet", retry_after=1
            )
        self._held.add((account_id, key))
        try:
            yield
        finally:
            self._held.discard((account_id, key))
