"""The screen while the TUI's libraries are imported."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ENTER: Final = "\x1b[?1049h\x1b[H\x1b[2J"
"""The alternate screen, empty (xterm's control sequences: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html)."""
_LEAVE: Final = "\x1b[?1049l"


@contextmanager
def opening(url: str) -> Iterator[None]:
    """Show the alternate screen with one line until Textual takes over; after an exception, restore the terminal."""
    sys.stderr.write(f"{_ENTER} orderctl  connecting to {url}")
    sys.stderr.flush()
    try:
        yield
    except BaseException:
        sys.stderr.write(_LEAVE)
        raise
