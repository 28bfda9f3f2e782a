"""What venues ask of accounts that are not pools: a vault's balance, and when a pool opens."""

from datetime import UTC, datetime
from typing import Final

from orderd.solana.rpc import ChainAccount

AMOUNT_ENDS: Final = 72
"""So many bytes of a token account say what it holds: its mint, its owner and its amount come first."""
_AMOUNT_BEGINS: Final = 64


def token_amount(account: ChainAccount | None) -> int:
    """What a token account holds, in base units; nothing if there is none."""
    if account is None or len(account.data) < AMOUNT_ENDS:
        return 0
    return int.from_bytes(account.data[_AMOUNT_BEGINS:AMOUNT_ENDS], "little")


def opening(unix_time: int) -> str:
    """When a pool opens. It can name any u64 as its time, also one that no calendar has."""
    try:
        return datetime.fromtimestamp(unix_time, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"unix second {unix_time}"
