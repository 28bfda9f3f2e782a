"""The chain's clock, which programs use for fees and opening times. It may differ from other clocks by seconds.

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
    """Slot, epoch and unix seconds of the newest block. Raises ValueError if the node does not return the account."""
    if account is None or len(account.data) < _LAYOUT.size:
        raise ValueError("the node does not show the clock account")
    return Clock(*_LAYOUT.unpack_from(account.data))
