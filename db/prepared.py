"""Statements that are planned once for each connection: to plan one may take Postgres longer than to execute it."""

from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakSet

from psycopg2.extensions import connection

from db.connection import database


class Prepared:
    def __init__(self, name: str, types: Sequence[str], sql: str) -> None:
        """``sql`` has $1, $2, ... where its values go, of these types."""
        self._prepare: Final = f"PREPARE {name} ({', '.join(types)}) AS {sql}"
        self._execute: Final = f"EXECUTE {name} ({', '.join(['%s'] * len(types))})"
        self._known_to: WeakSet[connection] = WeakSet()

    def execute(self, *values: object) -> Any:  # noqa: ANN401  (as the library has it)
        """The cursor, as of ``database.execute_sql``. Needs a connection."""
        held = database.connection()
        if held not in self._known_to:
            database.execute_sql(self._prepare)
            self._known_to.add(held)
        return database.execute_sql(self._execute, values)
