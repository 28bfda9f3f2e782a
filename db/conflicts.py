"""Repeats transactions that Postgres has aborted because of a conflict. They have changed nothing.

Writers lock rows in the order of their keys to avoid deadlocks. If there still is one, Postgres aborts a transaction
(deadlock_detected), as it does if transactions cannot be serialized (serialization_failure). Neither is a failure of
the order.
"""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

import structlog
from peewee import PeeweeException
from psycopg2 import errorcodes

T = TypeVar("T")

_CONFLICTS: Final = frozenset({errorcodes.DEADLOCK_DETECTED, errorcodes.SERIALIZATION_FAILURE})
_TRIES: Final = 10
_PAUSE_SECONDS: Final = 0.02
log = structlog.get_logger(__name__)


def again_after_conflicts(transaction: Callable[[], T]) -> T:
    """Run ``transaction``, a complete transaction, and repeat it after conflicts. Returns its result."""
    tries = 0
    while True:
        tries += 1
        try:
            return transaction()
        except PeeweeException as error:
            code = getattr(getattr(error, "orig", None), "pgcode", None)
            if code not in _CONFLICTS or tries == _TRIES:
                raise
            log.warning(
                "a transaction was aborted because of a conflict and is repeated",
                action="conflict",
                code=code,
                tries=tries,
            )
        time.sleep(random.uniform(0, _PAUSE_SECONDS * tries))  # noqa: S311  (spreads load, guards nothing)
