"""Reasons for not trading in a pool although its accounts can be read."""

from enum import StrEnum
from typing import Final

from orderd.solana.programs.layout import Record


class Unsupported(StrEnum):
    """A property of a pool that the maths of its kind does not support."""

    SWAPS_OFF = "swaps_off"
    FEE_SIDE = "fee_side"
    FEE_MODE = "fee_mode"
    SAME_MINTS = "same_mints"
    UNKNOWN_FLAG = "unknown_flag"
    RESERVED_BYTES = "reserved_bytes"


_EXPLANATIONS: Final = {
    Unsupported.SWAPS_OFF: "the pool's status does not allow swaps; use another pool",
    Unsupported.FEE_SIDE: "the pool takes its fee by a rule that is not known here; use another pool",
    Unsupported.FEE_MODE: "the pool's fee follows a rule that is not known here; use another pool",
    Unsupported.SAME_MINTS: "both sides of the pool are the same token; use another pool",
    Unsupported.UNKNOWN_FLAG: "the pool has a flag that is not known here, and may follow other rules; use another",
    Unsupported.RESERVED_BYTES: "bytes that no release known here uses are in use, so that the pool may follow other "
    "rules; use another",
}


class UnsupportedPoolError(Exception):
    """The pool is excluded, because a quote for it could be wrong. ``reason`` says why, ``field`` names the field."""

    def __init__(self, reason: Unsupported, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field

    def __str__(self) -> str:
        where = "" if self.field is None else f" ({self.field})"
        return f"{self.reason}{where}: {_EXPLANATIONS[self.reason]}"


def check_reserved(record: Record, *fields: str) -> None:
    """Check that reserved fields, numbers or bytes, are zero: a later release may have given them a meaning.

    Callers omit fields that an earlier release used, because they may still hold old values. Raises
    UnsupportedPoolError.
    """
    for name in fields:
        value = getattr(record, name)
        if any(value) if isinstance(value, bytes) else value:
            raise UnsupportedPoolError(Unsupported.RESERVED_BYTES, f"{type(record).__name__}.{name}")
