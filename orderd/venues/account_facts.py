"""What venues ask of accounts that are not pools: a vault's balance, and when a pool opens."""

from datetime import UTC, datetime

from orderd.solana.programs import token
from orderd.solana.programs.layout import LayoutError
from orderd.solana.rpc import ChainAccount


def token_amount(account: ChainAccount | None) -> int:
    """What a token account holds, in base units; nothing if there is none."""
    if account is None:
        return 0
    try:
        return token.TokenAccount.decode(account.data).amount
    except LayoutError:
        return 0


def opening(unix_time: int) -> str:
    """When a pool opens. It can name any u64 as its time, also one that no calendar has."""
    try:
        return datetime.fromtimestamp(unix_time, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"unix second {unix_time}"
