"""Ids in short."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final
from uuid import UUID

SHORT_ID: Final = 13
"""Characters of a UUIDv7 that hold its millisecond: enough to distinguish orders; the daemon takes any prefix."""

BRANCH: Final = "└ "
"""Before the id of an order that executes, or follows, one above it."""


def short_ids(ids: Iterable[UUID]) -> dict[UUID, str]:
    """The first 13 characters of each id, or as many more as distinguish all of them."""
    known = sorted({str(order) for order in ids})
    width = SHORT_ID
    for one, next_one in pairwise(known):
        while one[:width] == next_one[:width]:
            width += 1
    return {UUID(order): order[:width] for order in known}
