"""Renders the daemon's status."""

from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from orderctl.display.endpoints import endpoint_line
from orderctl.display.formats import duration
from orderctl.display.states import UNKNOWN
from orderctl.display.tables import pairs
from orderctl.output.colours import CHAIN_TONES, STATE_TONES, UNKNOWN_TONE, Tone
from orderd.wire.status import RateLimitUse, ServiceHealth, StatusResult

NOT_KNOWN = Text("unknown", Tone.WARNING)
"""Shown instead of a value that the daemon could not determine."""


def status_view(status: StatusResult, url: str) -> Table:
    now = datetime.now(UTC)
    table = pairs()
    state = Text("draining: accepts no new orders", Tone.WARNING) if status.draining else Text("up", Tone.GOOD)
    up_for = duration((now - status.started_at).total_seconds())
    table.add_row("daemon", Text.assemble(state, f" for {up_for}, version {status.version}, at {url}"))
    slot = f", slot {status.slot}" if status.slot is not None else ""
    for halt in status.halts:
        table.add_row("trading", Text(halt.summary, Tone.ALARM))
    table.add_row("chain", Text.assemble((status.chain, CHAIN_TONES[status.chain]), slot))
    table.add_row("wallet", status.wallet)
    for name, health in status.services.items():
        table.add_row(name, _health(health))
    for endpoint in status.endpoints:
        table.add_row("endpoint", endpoint_line(endpoint))
    workers = Text(str(status.workers), "" if status.workers else Tone.BAD)
    rate_limit, queue = Text(_rate_limit(status.rate_limit)), Text(f"{status.queue_depth} waiting")
    table.add_row("rate limit", NOT_KNOWN if "rate_limit.used" in status.untold else rate_limit)
    table.add_row("queue", NOT_KNOWN if "queue_depth" in status.untold else queue)
    table.add_row("workers", NOT_KNOWN if "workers" in status.untold else workers)
    counts = [
        Text.assemble(f"{count} ", (state, STATE_TONES[state])) for state, count in status.orders.items() if count
    ]
    if status.unknown:
        counts.append(Text(f"{status.unknown} {UNKNOWN}", UNKNOWN_TONE))
    orders = Text(", ").join(counts) if counts else Text("none yet")
    table.add_row("orders", NOT_KNOWN if "orders" in status.untold else orders)
    if status.executing_reasons:
        table.add_row("executing", _executing(status))
    return table


def _executing(status: StatusResult) -> Text:
    state = Text("orders wait", Tone.WARNING) if status.executing is False else NOT_KNOWN
    return Text.assemble(state, f"  {'; '.join(status.executing_reasons)}")


def _health(health: ServiceHealth) -> Text:
    return Text("ok", Tone.GOOD) if health.ok else Text.assemble(("not ok", Tone.ALARM), f"  {health.detail}")


def _rate_limit(use: RateLimitUse) -> str:
    if use.limit == 0:
        return "off"
    waiting = f", {use.waiting} waiting" if use.waiting else ""
    return f"{use.used} of {use.limit} starts in {use.window_seconds} s{waiting}"
