"""Account data as records and back, remembering both ways: a swap looks at the same bytes many times."""

from typing import Final, TypeVar

from orderd.solana.programs.layout import Record

R = TypeVar("R", bound=Record)

MOST: Final = 4_096
"""Records remembered before all are forgotten; what is in use is soon there again."""

_records: Final[dict[tuple[type[Record], bytes], Record]] = {}


def decoded(layout: type[R], data: bytes) -> R:
    """`layout.decode(data)`, remembered. Raises LayoutError."""
    record = _records.get((layout, data))
    if record is None:
        record = layout.decode(data)
        _remember(record, data)
    assert isinstance(record, layout)
    return record


def encoded(record: Record) -> bytes:
    """`record.encode()`; the record is there when these bytes are decoded."""
    data = record.encode()
    _remember(record, data)
    return data


def _remember(record: Record, data: bytes) -> None:
    if len(_records) >= MOST:
        _records.clear()
    _records[type(record), data] = record
