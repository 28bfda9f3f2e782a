"""The statements that a part executes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from db.connection import database


@contextmanager
def executed() -> Iterator[list[str]]:
    """The statements within the block, in order."""
    found: list[str] = []
    execute: Callable[..., Any] = type(database).execute_sql

    def noted(self: Any, sql: str, params: Any = None) -> Any:
        found.append(sql)
        return execute(self, sql, params)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(database), "execute_sql", noted)
        yield found
