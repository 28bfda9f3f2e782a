"""Packs the accounts of a transaction before and after it, which are needed to replay it elsewhere.

The list follows the order of the transaction's keys; an account that did not change is written once. Zeros, of which
most accounts are full, compress well: three tick arrays of 10 KiB each take about 3 KiB.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from orderd.simnet.account import LedgerAccount

_MISSING, _PRESENT, _UNCHANGED = range(3)
_HEADER: Final = struct.Struct("<Q32s?I")


class Image(NamedTuple):
    """One account before and after; None if it did not exist."""

    before: LedgerAccount | None
    after: LedgerAccount | None


def pack(images: Iterable[Image]) -> bytes:
    """The images, serialized and compressed."""
    content = bytearray()
    for before, after in images:
        content += _packed(before)
        content += bytes([_UNCHANGED]) if after == before else _packed(after)
    return zlib.compress(content, level=1)


def unpack(data: bytes) -> list[Image]:
    """The images in bytes that ``pack`` returned."""
    content = memoryview(zlib.decompress(data))
    accounts = _unpacked(content)
    return [Image(before, next(accounts)) for before in accounts]


def _packed(account: LedgerAccount | None) -> bytes:
    if account is None:
        return bytes([_MISSING])
    header = _HEADER.pack(account.lamports, bytes(account.owner), account.executable, len(account.data))
    return bytes([_PRESENT]) + header + account.data


def _unpacked(content: memoryview) -> Iterator[LedgerAccount | None]:
    account: LedgerAccount | None = None
    position = 0
    while position < len(content):
        kind = content[position]
        position += 1
        if kind == _MISSING:
            account = None
        elif kind == _PRESENT:
            lamports, owner, executable, size = _HEADER.unpack_from(content, position)
            position += _HEADER.size
            data = bytes(content[position : position + size])
            position += size
            account = LedgerAccount(lamports, Pubkey.from_bytes(owner), data, executable)
        yield account
