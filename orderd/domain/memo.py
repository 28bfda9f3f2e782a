"""The memo of an attempt, which is part of every transaction that orderd signs, and public.

It makes the transactions of two equal orders differ, identifies the order of a transaction whose attempt is not known,
and distinguishes two daemons that sign with one wallet. 30 bytes in base64url, 40 characters:

    0   order id    16 bytes
    16  tag          8 bytes, of the account and client order id; see ``db.installation``
    24  installation 4 bytes, of the database that the order is in
    28  attempt      2 bytes, big-endian; 65535 for that number and above

It is no longer than earlier memos (``ORDER_ID:ATTEMPT``, 38 characters and more), so that every route over several
pools still fits into a transaction. Memos of that form are still read.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

LENGTH: Final = 40
_MAX_ATTEMPTS: Final = 0xFFFF
_NOW: Final = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{40}(?![A-Za-z0-9_-])")
_BEFORE: Final = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}):(\d{1,9})(?!\d)")
_VERSION: Final = 7


@dataclass(frozen=True, slots=True)
class Memo:
    """``tag`` and ``installation`` are empty in memos of earlier versions."""

    order_id: UUID
    attempt: int
    tag: bytes = b""
    installation: bytes = b""

    @property
    def text(self) -> str:
        """The text that is signed. Always ``LENGTH`` characters."""
        attempt = min(self.attempt, _MAX_ATTEMPTS).to_bytes(2, "big")
        raw = self.order_id.bytes + self.tag + self.installation + attempt
        return urlsafe_b64encode(raw).decode()


def memos_in(text: str) -> Iterator[Memo]:
    """The memos of orderd in a transaction's memos, as a node joins them, or in a log line.

    Other texts are ignored. They are recognized because an order id is a UUIDv7, which contains its version.
    """
    for before in _BEFORE.finditer(text):
        yield Memo(UUID(before[1]), int(before[2]))
    for now in _NOW.finditer(text):
        raw = urlsafe_b64decode(now[0])
        order_id = UUID(bytes=raw[:16])
        if order_id.version == _VERSION:
            yield Memo(order_id, int.from_bytes(raw[28:], "big"), raw[16:24], raw[24:28])
