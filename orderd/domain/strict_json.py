"""JSON in which each member is given once.

RFC 8259 leaves open what a member means that is given twice, and most readers silently take the last: of two amounts
that would be to trade one that the client may not have meant.
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
