"""Decoding account data once: accounts are immutable, and a swap looks at the same bytes many times."""

from functools import lru_cache
from typing import TypeVar, cast

from orderd.solana.programs.layout import Record

R = TypeVar("R", bound=Record)


def decoded(layout: type[R], data: bytes) -> R:
    """`layout.decode(data)`, remembered. Raises LayoutError."""
    return cast(R, _decode(layout, data))  # type: ignore[arg-type]  # a class is hashable


@lru_cache(maxsize=2_048)
def _decode(layout: type[Record], data: bytes) -> Record:
    return layout.decode(data)
