"""Every colour of orderctl: what is good, bad or under way looks the same everywhere.

The full screen draws the same tones in the colours of its theme: those of texts by ``tui/colours.py``, those of tables
by the rules for ``order-table--ROLE`` in its style sheet.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, cast

from orderd.domain.order import OrderStatus

if TYPE_CHECKING:
    from orderd.wire.order_detail import AttemptOutcome

CheckResult = Literal["ok", "warn", "fail"]
ToneRole = Literal["good", "bad", "alarm", "waiting", "moving", "muted"]


class Tone(StrEnum):
    """What a colour says; the value is the style, in Rich's words."""

    GOOD = "green"
    BAD = "red"
    ALARM = "bold red"  # bad, and an operator has to look at it
    WAITING = "yellow"
    WARNING = WAITING
    MOVING = "cyan"
    HINT = MOVING
    MUTED = "dim"

    @property
    def bold(self) -> str:
        return f"bold {self}"

    @property
    def role(self) -> ToneRole:
        """What cells of tables call it."""
        return cast(ToneRole, self.name.lower())


STATE_TONES: Final[dict[OrderStatus, Tone]] = {
    OrderStatus.HELD: Tone.MUTED,
    OrderStatus.OPEN: Tone.WAITING,
    OrderStatus.PENDING: Tone.WAITING,
    OrderStatus.ROUTING: Tone.MOVING,
    OrderStatus.BUILDING: Tone.MOVING,
    OrderStatus.SUBMITTED: Tone.MOVING,
    OrderStatus.CONFIRMED: Tone.GOOD,
    OrderStatus.FAILED: Tone.BAD,
    OrderStatus.CANCELLED: Tone.MUTED,
    OrderStatus.EXPIRED: Tone.BAD,
}
UNKNOWN_TONE: Final = Tone.ALARM
"""For an order whose outcome is unknown."""
OUTCOME_TONES: Final[dict["AttemptOutcome", Tone]] = {
    "live": Tone.MOVING,
    "landed": Tone.GOOD,
    "failed": Tone.BAD,
    "expired": Tone.WARNING,
    "abandoned": Tone.BAD,
}
CHAIN_TONES: Final[dict[str, Tone]] = {
    "simnet": Tone.MOVING,
    "localnet": Tone.MOVING,
    "devnet": Tone.WARNING,
    "mainnet": Tone.ALARM,
}
CHAIN_BADGES: Final[dict[str, str]] = {
    "simnet": Tone.MOVING.bold,
    "localnet": Tone.MOVING.bold,
    "devnet": Tone.WARNING.bold,
    "mainnet": "bold #ffffff on #b3261e",
}
"""On the full screen, where the chain is in sight all the time."""
CHECK_TONES: Final[dict[CheckResult, Tone]] = {"ok": Tone.GOOD, "warn": Tone.WARNING, "fail": Tone.ALARM}
