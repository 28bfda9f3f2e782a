"""Frozen dataclasses for values of which each order makes dozens.

A frozen dataclass sets every field by ``object.__setattr__``, which takes three times as long as the assignments of an
ordinary one. With this decorator mypy sees ``dataclasses.dataclass`` and refuses assignments, in tests too; at run time
the classes are ordinary dataclasses with the same equality and hash.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses

    def dataclass(*, frozen, slots=False):  # noqa: ANN001, ANN201, ARG001  (mypy reads the other one)
        """``dataclasses.dataclass``, frozen for mypy only."""
        return dataclasses.dataclass(slots=slots, unsafe_hash=True)


__all__ = ["dataclass"]
