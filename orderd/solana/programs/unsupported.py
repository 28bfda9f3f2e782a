"""Why a pool's swaps are not covered here, although its accounts can be read."""

from enum import StrEnum
from typing import Final

from orderd.solana.programs.layout import Record


class Unsupported(StrEnum):
    """What a pool has, or does, that the maths of its kind leaves out."""

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
    """The pool is read, and left alone: a quote for it could be wrong. ``reason`` says why, ``field`` where that
    lies."""

    def __init__(self, reason: Unsupported, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field

    def __str__(self) -> str:
        where = "" if self.field is None else f" ({self.field})"
        return f"{self.reason}{where}: {_EXPLANATIONS[self.reason]}"


def check_reserved(record: Record, *fields: str) -> None:
    """That these fields, numbers or bytes, are zero, as those have to be that wait for a use.

    Left out are fields that had another use before: what is in them has been there since. Raises UnsupportedPoolError.
    """
    for name in fields:
        value = getattr(record, name)
        if any(value) if isinstance(value, bytes) else value:
            raise UnsupportedPoolError(Unsupported.RESERVED_BYTES, f"{type(record).__name__}.{name}")
