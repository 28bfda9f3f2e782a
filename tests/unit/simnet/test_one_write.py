"""Data written to a connection within one turn of the event loop is sent in one piece, without loss."""

import asyncio
from typing import cast

import pytest

from orderd.simnet.rpc.http import _OneWrite

pytestmark = pytest.mark.asyncio


class Wire(asyncio.Transport):
    """Records the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.seen.append(bytes(data))

    def close(self) -> None:
        self.seen.append("closed")

    def abort(self) -> None:
        self.seen.append("aborted")


def joined() -> tuple[_OneWrite, Wire]:
    wire = Wire()
    return _OneWrite(cast(asyncio.Transport, wire), asyncio.get_running_loop()), wire


async def test_head_and_body_are_sent_in_one_write() -> None:
    transport, wire = joined()
    transport.write(b"head ")
    transport.write(b"body")
    assert wire.seen == []

    await asyncio.sleep(0)
    assert wire.seen == [b"head body"]

    transport.write(b"next")
    await asyncio.sleep(0)
    assert wire.seen == [b"head body", b"next"]


async def test_pending_data_is_sent_before_a_close() -> None:
    transport, wire = joined()
    transport.write(b"last words")
    transport.close()
    await asyncio.sleep(0)

    assert wire.seen == [b"last words", "closed"]


async def test_a_reset_connection_sends_nothing() -> None:
    transport, wire = joined()
    transport.write(b"too late")
    transport.abort()
    await asyncio.sleep(0)

    assert wire.seen == ["aborted"]
