"""Shortens order ids."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final
from uuid import UUID

SHORT_ID: Final = 13
"""Characters of a UUIDv7 that contain its millisecond: usually enough to be unique. The daemon accepts any unique
prefix."""

BRANCH: Final = "└ "
"""The prefix of a child order's id below its parent or entry."""


def short_ids(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Shorten each id to 13 characters, or to as many as make all of them unique."""
    known = sorted({str(order) for order in ids})
    width = SHORT_ID
    for one, next_one in pairwise(known):
        while one[:width] == next_one[:width]:
            width += 1
    return {UUID(order): order[:width] for order in known}
