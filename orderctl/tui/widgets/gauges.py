"""The daemon's load: rate limit, queue and workers, and the state of its services."""

from rich.text import Text
from textual.widgets import Static

from orderctl.display.daemon import NOT_KNOWN
from orderctl.display.states import UNKNOWN
from orderctl.output.colours import UNKNOWN_TONE, Tone
from orderctl.tui.desk import Desk
from orderd.wire.status import RateLimitUse, StatusResult

BAR_WIDTH = 12
NAME_WIDTH = 11


class Gauges(Static):
    def __init__(self) -> None:
        super().__init__()
        self._height = 0

    def draw(self, desk: Desk) -> None:
        lines = (
            _lines(desk.status, self.content_size.width - NAME_WIDTH)
            if desk.status is not None
            else Text("not known yet", "dim")
        )
        if (error := desk.errors.get("status")) is not None:
            lines = Text(f"{error.title}: {error.detail}", Tone.WARNING)
        if self.content != lines:
            height = lines.plain.count("\n")
            self.update(lines, layout=height != self._height)
            self._height = height


def _lines(status: StatusResult, room: int) -> Text:
    """``room`` is the number of columns beside the names."""
    workers = Text(f"{status.workers}", "" if status.workers else Tone.ALARM)
    lines = [
        _named("rate limit", NOT_KNOWN if "rate_limit.used" in status.untold else _rate_limit(status.rate_limit, room)),
        _named("queue", NOT_KNOWN if "queue_depth" in status.untold else _queue(status)),
        _named("workers", NOT_KNOWN if "workers" in status.untold else workers),
    ]
    ill = [f"{name}: {health.detail or 'not ok'}" for name, health in status.services.items() if not health.ok]
    services = Text("; ".join(ill), Tone.ALARM) if ill else Text("all ok", Tone.GOOD)
    lines.append(_named("services", services))
    if status.unknown:
        lines.append(_named("outcomes", Text(f"{status.unknown} {UNKNOWN}", UNKNOWN_TONE)))
    return Text("\n").join(lines)


def _named(name: str, value: Text) -> Text:
    return Text.assemble((f"{name:<{NAME_WIDTH}}", "dim"), value)


def _rate_limit(use: RateLimitUse, room: int) -> Text:
    """A bar and the numbers; where there is little room, the bar is shorter."""
    if use.limit == 0:
        return Text("off")
    numbers = f" {use.used}/{use.limit}"
    bar = max(0, min(BAR_WIDTH, room - len(numbers)))
    filled = min(bar, -(-use.used * bar // use.limit))
    style = Tone.BAD if use.waiting else Tone.WARNING if use.used * 5 >= use.limit * 4 else Tone.GOOD
    return Text.assemble(("━" * filled, style), ("─" * (bar - filled), "dim"), numbers)


def _queue(status: StatusResult) -> Text:
    """The number of queued orders, and of orders that wait for the rate limit."""
    limited = status.rate_limit.waiting
    return Text.assemble(f"{status.queue_depth} waiting", (f", {limited} limited" if limited else "", Tone.WARNING))
