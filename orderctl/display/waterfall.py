"""Renders the timing of an order as a waterfall chart: one bar per step between two events."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from rich.text import Text

from orderctl.display.formats import duration
from orderctl.output.colours import Tone
from orderd.wire.order_detail import OrderDetail

_WIDTH: Final = 40
"""Width of the chart, in columns."""


def waterfall(detail: OrderDetail) -> Iterator[Text]:
    """One line per step, with its duration and its share of the total; empty with fewer than two events."""
    times = [event.at for event in detail.events]
    if len(times) < 2 or times[-1] <= times[0]:
        return
    whole = (times[-1] - times[0]).total_seconds()
    for before, after in pairwise(detail.events):
        start, took = (before.at - times[0]).total_seconds(), (after.at - before.at).total_seconds()
        left = min(round(start / whole * _WIDTH), _WIDTH - 1)
        right = max(round((start + took) / whole * _WIDTH), left + 1)
        tone = Tone.WAITING if took > whole / 2 else Tone.MOVING
        yield Text.assemble(
            (f"until {after.data.kind:<16}", "dim"),
            f"{duration(took):>9}",
            f"{took / whole * 100:>5.0f} %  ",
            " " * left,
            ("█" * (right - left), tone),
        )
    yield Text.assemble(("in total              ", "dim"), f"{duration(whole):>9}")
