"""Helpers for venues: a vault's balance, and the text of a pool's opening time."""

from datetime import UTC, datetime
from typing import Final

from orderd.solana.rpc import ChainAccount

AMOUNT_ENDS: Final = 72
"""End of the amount in a token account's data: mint, owner and amount come first."""
_AMOUNT_BEGINS: Final = 64


def token_amount(account: ChainAccount | None) -> int:
    """The balance of a token account in base units; 0 if the account does not exist."""
    if account is None or len(account.data) < AMOUNT_ENDS:
        return 0
    return int.from_bytes(account.data[_AMOUNT_BEGINS:AMOUNT_ENDS], "little")


def opening(unix_time: int) -> str:
    """A pool's opening time as text. A pool can store any u64, also a time outside the calendar."""
    try:
        return datetime.fromtimestamp(unix_time, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"unix second {unix_time}"
