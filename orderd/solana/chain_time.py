"""The chain's own clock: programs count fees and openings by it, and it may be seconds off any other.

Layout: anza-xyz/solana-sdk, ``clock/src/lib.rs``.
"""

import struct
from typing import Final

from solders.clock import Clock
from solders.pubkey import Pubkey

from orderd.solana.rpc_types import ChainAccount

CLOCK: Final = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
_LAYOUT: Final = struct.Struct("<QqQQq")


def clock_of(account: ChainAccount | None) -> Clock:
    """Slot, epoch and unix second of the newest block. Raises ValueError if the node does not show them."""
    if account is None or len(account.data) < _LAYOUT.size:
        raise ValueError("the node does not show the clock account")
    return Clock(*_LAYOUT.unpack_from(account.data))
