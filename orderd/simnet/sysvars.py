"""The sysvar accounts that programs read. Source: anza-xyz/solana-sdk, ``sysvar`` and ``clock``."""

import struct
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet.account import LedgerAccount, rent_exempt_minimum
from orderd.simnet.invoke import Clock
from orderd.solana import chain_time

OWNER: Final = Pubkey.from_string("Sysvar1111111111111111111111111111111111111")
RENT: Final = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
CLOCK: Final = chain_time.CLOCK

_RENT: Final = struct.pack("<QdB", 3_480, 2.0, 50)
_CLOCK: Final = struct.Struct("<QqQQq")


def rent_account() -> LedgerAccount:
    return LedgerAccount(rent_exempt_minimum(len(_RENT)), OWNER, _RENT)


def clock_account(clock: Clock) -> LedgerAccount:
    """The clock sysvar: slot, epoch and unix seconds. The start of the epoch is not tracked and is 0."""
    data = _CLOCK.pack(clock.slot, 0, clock.epoch, clock.epoch + 1, clock.unix_time)
    return LedgerAccount(rent_exempt_minimum(len(data)), OWNER, data)
