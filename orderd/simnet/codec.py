"""Decodes account data into records and encodes it, with a cache for both: a swap decodes the same bytes many times."""

import struct
from collections import defaultdict
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar, cast, get_type_hints

from orderd.solana.programs.layout import FieldLayout, Record

R = TypeVar("R", bound=Record)

MAX_RECORDS: Final = 2_048
"""Cached records per layout. When the cache is full it is cleared; records in use are soon cached again."""

_records: Final[defaultdict[type[Record], dict[bytes, Record]]] = defaultdict(dict)
"""Cached records, by layout and data."""


def decoded(layout: type[R], data: bytes) -> R:
    """``layout.decode(data)``, cached. Raises LayoutError."""
    record = _records[layout].get(data)
    if record is None:
        record = layout.decode(data)
        remember(record, data)
    return cast(R, record)


def encoded(record: Record) -> bytes:
    """``record.encode()``; caches the record for the next ``decoded`` of these bytes."""
    data = record.encode()
    remember(record, data)
    return data


def rewritten(data: bytes, before: R, after: R) -> bytes:
    """``encoded(after)``, faster: writes only the fields that differ from ``before``, which was decoded from ``data``.

    Raises struct.error if a value does not fit its field.
    """
    fields = _fields(type(after))
    old, new = fields.values(before), fields.values(after)
    content = bytearray(data)
    for place, was, value in zip(fields.places, old, new, strict=True):
        if value is not was and value != was:
            place.write(content, value)
    data = bytes(content)
    remember(after, data)
    return data


def remember(record: Record, data: bytes) -> None:
    """Cache a record; ``data`` must equal ``record.encode()``."""
    known = _records[type(record)]
    if len(known) >= MAX_RECORDS:
        known.clear()
    known[data] = record


def replaced(record: R, **changed: Any) -> R:  # noqa: ANN401  (whatever the fields hold)
    """``dataclasses.replace(record, **changed)``, three times as fast for records of many fields."""
    fields = _fields(type(record))
    values = list(fields.values(record))
    for name, value in changed.items():
        values[fields.indices[name]] = value
    return type(record)(*values)


class _Place(NamedTuple):
    """The position of a field in the account's data. ``format`` is None for the bytes after the fixed part."""

    offset: int
    format: struct.Struct | None
    dump: Callable[[Any], Any] | None

    def write(self, content: bytearray, value: Any) -> None:  # noqa: ANN401  (whatever the field holds)
        if self.format is None:
            content[self.offset :] = value
        else:
            self.format.pack_into(content, self.offset, value if self.dump is None else self.dump(value))


class _Fields(NamedTuple):
    """The fields of a layout, in order. ``values`` reads all of them from a record."""

    values: Callable[[Record], tuple[Any, ...]]
    places: tuple[_Place, ...]
    indices: Mapping[str, int]


_layouts: Final[dict[type[Record], _Fields]] = {}


def _fields(layout: type[Record]) -> _Fields:
    if layout not in _layouts:
        _layouts[layout] = _laid_out(layout)
    return _layouts[layout]


def _laid_out(layout: type[Record]) -> _Fields:
    hints = get_type_hints(layout, include_extras=True)
    hints.pop("DISCRIMINATOR")
    places, offset = [], len(layout.DISCRIMINATOR)
    for hint in hints.values():
        is_record = isinstance(hint, type) and issubclass(hint, Record)
        slot = FieldLayout(f"{hint.size()}s", dump=hint.encode) if is_record else hint.__metadata__[0]
        packer = struct.Struct(f"<{slot.format}") if slot.format else None
        places.append(_Place(offset, packer, slot.dump))
        offset += packer.size if packer is not None else 0
    return _Fields(attrgetter(*hints), tuple(places), {name: index for index, name in enumerate(hints)})
