"""Text frames encoded without the library equal those of the library."""

import pytest
from websockets.frames import Frame, Opcode

from orderd.gateway.port.websocket_connection import _head_of_text


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_a_frame_equals_the_librarys(length: int) -> None:
    text = b"x" * length
    assert _head_of_text(length) + text == Frame(Opcode.TEXT, text).serialize(mask=False)
