"""What is seen of the full screen while its libraries load, which takes longer than a trader should look at nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ENTER: Final = "\x1b[?1049h\x1b[H\x1b[2J"
"""The alternate screen, empty (xterm's control sequences: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html)."""
_LEAVE: Final = "\x1b[?1049l"


@contextmanager
def opening(url: str) -> Iterator[None]:
    """The alternate screen with one line, which Textual takes over; if it never does, the terminal is as before."""
    sys.stderr.write(f"{_ENTER} orderctl  connecting to {url}")
    sys.stderr.flush()
    try:
        yield
    except BaseException:
        sys.stderr.write(_LEAVE)
        raise
