"""Packs the accounts of a block's transactions before and after each, which are needed to replay them elsewhere.

An account is written once: what one transaction leaves is what the next one finds. Zeros, of which most accounts are
full, compress well: three tick arrays of 10 KiB each take about 3 KiB.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from orderd.simnet.account import LedgerAccount

_MISSING, _PRESENT, _KNOWN = range(3)
_HEADER: Final = struct.Struct("<Q32s?I")
_NUMBER: Final = struct.Struct("<I")
"""The number of images of a transaction, or that of an account that was written before."""


class Image(NamedTuple):
    """One account before and after; None if it did not exist."""

    before: LedgerAccount | None
    after: LedgerAccount | None


def pack(transactions: Iterable[Sequence[Image]]) -> bytes:
    """The images of each transaction, in the order of its keys, serialized and compressed."""
    content = bytearray()
    numbers: dict[int, int] = {}  # by identity: all accounts live until the end, and comparing their data would cost
    for images in transactions:
        content += _NUMBER.pack(len(images))
        for account in chain.from_iterable(images):
            if account is None:
                content.append(_MISSING)
            elif id(account) in numbers:
                content.append(_KNOWN)
                content += _NUMBER.pack(numbers[id(account)])
            else:
                numbers[id(account)] = len(numbers)
                content.append(_PRESENT)
                content += _HEADER.pack(account.lamports, bytes(account.owner), account.executable, len(account.data))
                content += account.data
    return zlib.compress(content, level=1)


def unpack(data: bytes) -> list[list[Image]]:
    """The images in bytes that ``pack`` returned."""
    content = _Content(zlib.decompress(data))
    transactions = []
    while content.has_more:
        count = content.number()
        transactions.append([Image(content.account(), content.account()) for _ in range(count)])
    return transactions


class _Content:
    """Reads packed images from the beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._accounts: list[LedgerAccount] = []

    @property
    def has_more(self) -> bool:
        return self._position < len(self._data)

    def number(self) -> int:
        (number,) = _NUMBER.unpack(self._take(_NUMBER.size))
        return int(number)

    def account(self) -> LedgerAccount | None:
        (kind,) = self._take(1)
        if kind == _MISSING:
            return None
        if kind == _KNOWN:
            return self._accounts[self.number()]
        lamports, owner, executable, size = _HEADER.unpack(self._take(_HEADER.size))
        account = LedgerAccount(lamports, Pubkey.from_bytes(owner), self._take(size), executable)
        self._accounts.append(account)
        return account

    def _take(self, size: int) -> bytes:
        start = self._position
        self._position += size
        return self._data[start : self._position]
