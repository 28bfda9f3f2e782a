"""What venues ask of accounts that are no pools: a vault's balance, and whether a mint can be traded."""

from datetime import UTC, datetime
from typing import Final

from orderd.solana.programs import token
from orderd.solana.programs.layout import LayoutError
from orderd.solana.rpc import Account

_KNOWN_HARMFUL: Final = {
    1: "a transfer fee",
    4: "confidential transfers",
    6: "accounts that begin frozen",
    9: "no transfers",
    10: "interest",
    12: "a permanent delegate",
    14: "a transfer hook",
    25: "a scaled amount",
    26: "a pause switch",
}
"""Token-2022 extensions, for people. https://github.com/solana-program/token-2022, `interface/src/extension/mod.rs`."""


def token_amount(account: Account | None) -> int:
    """What a token account holds, in base units; nothing where there is none."""
    if account is None:
        return 0
    try:
        return token.TokenAccount.decode(account.data).amount
    except LayoutError:
        return 0


def objection_to(mint: Account | None) -> str | None:
    """Why orderd does not trade a mint: it is none, or has a Token-2022 extension that is not known to be harmless."""
    if mint is None:
        return "a mint does not exist"
    if mint.owner not in (token.PROGRAM_ID, token.TOKEN_2022_PROGRAM_ID):
        return f"a mint belongs to {mint.owner}, which is no token program"
    if mint.owner == token.PROGRAM_ID:
        return None
    try:
        extensions = token.Mint.decode(mint.data).extension_types()
    except LayoutError as error:
        return f"a mint cannot be read: {error}"
    harmful = sorted(extensions - frozenset(token.Extension))
    if not harmful:
        return None
    told = ", ".join(f"{_KNOWN_HARMFUL.get(kind, 'what is not known here')} (extension {kind})" for kind in harmful)
    return f"one of its Token-2022 mints has {told}, which may change what a swap pays"


def opening(unix_time: int) -> str:
    """When a pool opens. It can name any u64 as its time, also one that no calendar has."""
    try:
        return datetime.fromtimestamp(unix_time, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"unix second {unix_time}"
