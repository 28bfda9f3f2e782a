"""The orders that a statement returns, each with the event that it wrote."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
from peewee import BooleanField, Field, IntegerField, TextField
from playhouse.fields import EnumField
from playhouse.postgres_ext import BinaryJSONField, DateTimeTZField

from db.connection import database
from db.models import Order
from orderd.domain.events import AnyFact, OrderEvent
from orderd.domain.frozen import dataclass

TYPES: Final = {field.column_name: field.field_type for field in Order._meta.sorted_fields}
"""SQL type of each column of ``orders``."""
_READ: Final = {field.column_name: field.python_value for field in Order._meta.sorted_fields}
COLUMNS: Final = ", ".join(_READ)
_AS_DRIVEN: Final = (BinaryJSONField, BooleanField, DateTimeTZField, IntegerField, TextField)
"""Field types whose values the driver already converts."""


def _conversion(field: Field) -> Callable[[Any], Any]:
    """How a value of the field is converted that is not NULL; for an enum by a table, because there are six."""
    if isinstance(field, EnumField):
        members: dict[str, object] = {member.value: member for member in field.enum_class}
        return members.__getitem__
    convert: Callable[[Any], Any] = field.python_value
    return convert


_CONVERTED: Final = [
    (field.column_name, _conversion(field)) for field in Order._meta.sorted_fields if not isinstance(field, _AS_DRIVEN)
]


@dataclass(frozen=True, slots=True)
class Moved:
    """An order after a change, with the change's event; ``before`` is the event right before it, if there is one.

    ``fact`` and ``fact_before`` are the JSON of their facts where it was made for the statement.
    """

    order: Order
    event: OrderEvent
    before: OrderEvent | None = None
    fact: bytes | None = None
    fact_before: bytes | None = None


def given(columns: str, *, is_one: bool) -> str:
    """SQL for the rows in the JSON array $1, or for the row that is the object $1: then Postgres plans for one row, and
    not for a hundred, for which it may scan all orders."""
    return f"{'json_to_record' if is_one else 'json_to_recordset'}($1) AS _({columns})"


def given_json(rows: Sequence[Any]) -> str:
    """The value of $1 for ``given``: the array of the rows, or the only one."""
    return orjson.dumps(rows[0] if len(rows) == 1 else rows).decode()


def rows_of(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = database.execute_sql(sql, parameters).fetchall()
    return rows


def moved_by(
    rows: Sequence[tuple[Any, ...]],
    fact_of: Callable[[Order], AnyFact],
    encoded_of: Callable[[Order], bytes | None] = lambda _: None,
) -> list[Moved]:
    """Convert the rows of a statement to orders, each with its newest event, which is about this fact.

    ``encoded_of`` returns the fact's JSON if it was made before.
    """
    # The rows are not converted by Peewee, because it determines the columns of a raw statement each time and sets each
    # value through a descriptor, which takes longer than everything else here.
    found = []
    for row in rows:
        order = Order(__no_default__=True)
        values = dict(zip(_READ, row, strict=True))
        for name, read in _CONVERTED:
            if (value := values[name]) is not None:  # most are NULL
                values[name] = read(value)
        order.__data__ = values
        event = OrderEvent(
            order_id=order.id, seq=order.seq, at=order.updated_at, status=order.status, data=fact_of(order)
        )
        found.append(Moved(order, event, fact=encoded_of(order)))
    return found
