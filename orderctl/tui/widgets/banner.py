"""The two lines at the top: the connection, the chain, running orders, and the wallet."""

from datetime import datetime

from rich.text import Text
from textual.widgets import Static

from orderctl.display.formats import shorten
from orderctl.output.colours import CHAIN_BADGES, Tone
from orderctl.tui.desk import STALE_AFTER, Connecting, Desk, Disconnected, Live
from orderctl.tui.widgets.running import running_text

WALLET_WIDTH = 13


class Banner(Static):
    """The banner. Counts of running orders are updated once per second only, because Textual redraws everything between
    this change and the next one below it."""

    def __init__(self) -> None:
        super().__init__()
        self._stages = Text()
        self._counted_at = 0

    def draw(self, desk: Desk) -> None:
        second = int(desk.clock().timestamp())
        if len(desk.book.running) <= 1 or not self._stages or second != self._counted_at:
            self._stages, self._counted_at = running_text(desk.book), second
        lines = Text("\n").join((_state(desk, self._stages), _wallet(desk)))
        if self.content != lines:
            self.update(lines, layout=False)


def _state(desk: Desk, running: Text) -> Text:
    """The first line. It begins with the chain, which must not be cut on a narrow terminal."""
    line = Text()
    if desk.status is not None:
        line.append(f" {desk.status.chain} ", CHAIN_BADGES[desk.status.chain]).append(" ")
    line.append(connection_text(desk))
    if desk.paused_at is not None:
        line.append(f"  ‖ paused at {desk.paused_at.astimezone():%H:%M:%S}", Tone.WARNING.bold)
    if running:
        line.append("  ").append(running)
    if desk.read_only:
        line.append("  read only", Tone.WARNING)
    if desk.status is not None and desk.status.draining:
        line.append("  draining: accepts no new orders", Tone.WARNING)
    if desk.status is not None:
        for halt in desk.status.halts:
            line.append(f"  {halt.summary}", Tone.ALARM)
    return line.append(f"  {desk.url}", "dim")


def connection_text(desk: Desk) -> Text:
    """The state of the connection, and since when the data is stale."""
    stale = desk.stale_since()
    since = f", stale since {stale.astimezone():%H:%M:%S}" if stale is not None else ""
    match desk.connection:
        case Connecting():
            return Text(f"◌ connecting{since}", Tone.WARNING)
        case Live() if stale is None:
            return Text("● live", Tone.GOOD.bold)
        case Live():
            reason = "the daemon cannot reach its database" if desk.lag >= STALE_AFTER else "no response"
            return Text(f"◌ {reason}{since}", Tone.WARNING)
        case Disconnected(reason, retry_at):
            wait = _seconds_to(retry_at, desk.clock())
            return Text(f"○ {reason}; reconnecting in {wait} s{since}", Tone.WARNING.bold)


def _seconds_to(at: datetime, now: datetime) -> int:
    """Whole seconds until ``at``, rounded up."""
    return max(0, -int((now - at).total_seconds() // 1))


def _wallet(desk: Desk) -> Text:
    if (error := desk.errors.get("balances")) is not None:
        return Text(f"wallet: {error.title}: {error.detail}", Tone.WARNING)
    if desk.wallet is None:
        return Text("wallet: not known yet", "dim")
    line = Text.assemble(("wallet ", "dim"), shorten(desk.wallet.wallet, WALLET_WIDTH))
    for balance in desk.wallet.balances:
        line.append("   ").append(balance.amount, "bold").append(f" {balance.token}")
    if desk.stale_since() is not None:
        line.stylize("dim")
    return line
