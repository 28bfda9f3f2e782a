"""Counts operations of engine parts that run in this process."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Final, ParamSpec, TypeVar
from unittest import mock

from redis.connection import AbstractConnection

from db.connection import database
from orderd.best_effort import Outbox
from orderd.solana.transport import HttpTransport

P = ParamSpec("P")
T = TypeVar("T")
STATEMENTS: Final = "SQL statements"
REDIS: Final = "Redis round trips"
HTTP: Final = "HTTP requests to the chain"
HAND_OVERS: Final = "hand-overs between threads"
_CALLS: Final = (
    (type(database), "execute_sql", STATEMENTS),
    (AbstractConnection, "send_packed_command", REDIS),
    (HttpTransport, "post", HTTP),
    (ThreadPoolExecutor, "submit", HAND_OVERS),
    (Outbox, "_queue", HAND_OVERS),
)
"""The methods whose calls are counted."""


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Counts the calls in all threads during the block."""
    calls: Counter[str] = Counter()
    with ExitStack() as stack:
        for owner, method, name in _CALLS:
            stack.enter_context(mock.patch.object(owner, method, _counting(getattr(owner, method), calls, name)))
        yield calls


def _counting(original: Callable[P, T], calls: Counter[str], name: str) -> Callable[P, T]:
    @wraps(original)
    def call(*args: P.args, **options: P.kwargs) -> T:
        calls[name] += 1
        return original(*args, **options)

    return call
