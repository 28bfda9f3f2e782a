"""Parses JSON, and refuses members that are given twice.

RFC 8259 does not define the meaning of a repeated member, and most parsers silently take the last one: of two amounts,
orderd might trade the one that the client did not mean.
"""

import json
from typing import Any, Final


class RepeatedMemberError(ValueError):
    """A member is given twice in one object."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the member {name[:50]!r} is given twice")
        self.name = name


def each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An ``object_pairs_hook``. Raises RepeatedMemberError."""
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        raise RepeatedMemberError(next(name for name in names if names.count(name) > 1))
    return found


_DECODER: Final = json.JSONDecoder(object_pairs_hook=each_once)


def read_json(text: str | bytes) -> Any:  # noqa: ANN401  (whatever the text says)
    """The value of a JSON text. Raises ValueError, RepeatedMemberError among them, and RecursionError."""
    return _DECODER.decode(text if isinstance(text, str) else text.decode())
