"""Transactions that Postgres aborts in favour of others: they have changed nothing, and are run again.

A writer of several rows locks them in the order of their keys, so that no two writers wait for each other. If two do
all the same, Postgres aborts one of them (deadlock_detected), and likewise one that cannot be serialized with others
(serialization_failure). Neither is a failure of the order.
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
    """The result of ``transaction``, which is whole and may be made several times."""
    tries = 0
    while True:
        tries += 1
        try:
            return transaction()
        except PeeweeException as error:
            code = getattr(getattr(error, "orig", None), "pgcode", None)
            if code not in _CONFLICTS or tries == _TRIES:
                raise
            log.warning("ended for another's sake, made again", action="conflict", code=code, tries=tries)
        time.sleep(random.uniform(0, _PAUSE_SECONDS * tries))  # noqa: S311  (spreads load, guards nothing)
