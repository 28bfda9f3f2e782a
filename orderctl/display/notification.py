"""Notifies that an order has ended: with notify-send on a desktop, or else through the terminal."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import Final

from orderctl.display.timeline import OrderTimeline

_SECONDS: Final = 2.0
_DESKTOPS: Final = ("DISPLAY", "WAYLAND_DISPLAY")
_OSC_9: Final = "\x1b]9;{}\x07"
"""The notification sequence of iTerm2, which kitty, WezTerm, Ghostty, Windows Terminal and others support."""
_BELL: Final = "\x07"


def notify(timeline: OrderTimeline) -> None:
    """Notify that the order has ended, or that its outcome is unknown; other events are ignored.

    Failures of notify-send are ignored.
    """
    is_unknown = timeline.seq >= timeline.order.seq and timeline.unknown_since is not None
    if not (timeline.is_over or is_unknown):
        return
    title, text = f"orderd: order {_state(timeline)}", _line(timeline)
    terminal = sys.__stderr__  # a live display replaces sys.stderr
    if not _on_desktop(title, text) and terminal is not None and terminal.isatty():
        terminal.write(_OSC_9.format(f"{title}: {text}") + _BELL)
        terminal.flush()


def _state(timeline: OrderTimeline) -> str:
    return "unknown" if timeline.unknown_since is not None else str(timeline.status)


def _line(timeline: OrderTimeline) -> str:
    order = timeline.order
    pair = f"{order.token_in} to {order.token_out}"
    return pair if timeline.received is None else f"{pair}, received {timeline.received} {order.token_out}"


def _on_desktop(title: str, text: str) -> bool:
    program = shutil.which("notify-send")
    if program is None or not any(os.environ.get(name) for name in _DESKTOPS):
        return False
    with suppress(OSError, subprocess.TimeoutExpired):
        sent = subprocess.run(  # noqa: S603  (found on the user's own path)
            [program, "--app-name=orderctl", "--", title, text], capture_output=True, timeout=_SECONDS, check=False
        )
        return sent.returncode == 0
    return False
