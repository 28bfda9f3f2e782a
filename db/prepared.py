"""Prepared statements, because planning can take longer than execution.

A plan from a time when a table was small may scan the whole table, and the server can take up to a minute to analyse a
grown table. So each connection plans a statement again after four times as many executions as at the last plan. Of
what an idle process repeats, only that is prepared whose plan uses an index of a nearly empty table too.
"""

from collections.abc import Sequence
from itertools import count
from typing import Any, Final
from weakref import WeakKeyDictionary

from psycopg2.extensions import connection

from db.connection import database

_numbers = count(1)


class Prepared:
    def __init__(self, name: str, types: Sequence[str], sql: str) -> None:
        """``sql`` contains the parameters $1, $2, ... of these types."""
        unique = f"{name}_{next(_numbers)}"
        self._prepare: Final = f"PREPARE {unique}{_in_parentheses(types)} AS {sql}"
        self._execute: Final = f"EXECUTE {unique}{_in_parentheses(['%s'] * len(types))}"
        self._executed: WeakKeyDictionary[connection, int] = WeakKeyDictionary()

    def execute(self, *values: object) -> Any:  # noqa: ANN401  (as the library has it)
        """The cursor, as of ``database.execute_sql``. Needs a connection."""
        held = database.connection()
        times = self._executed.get(held, 0)
        if times == 0:
            database.execute_sql(self._prepare)
        self._executed[held] = times + 1
        is_power_of_four = times > 1 and times.bit_count() == 1 and times.bit_length() % 2 == 1
        return database.execute_sql(("DISCARD PLANS; " if is_power_of_four else "") + self._execute, values)


def _in_parentheses(items: Sequence[str]) -> str:
    return f" ({', '.join(items)})" if items else ""
