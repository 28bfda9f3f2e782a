"""All colours of orderctl, so that good, bad and active states look the same everywhere.

The TUI maps the tones to the colours of its theme: ``tui/colours.py`` for texts, and the rules for
``order-table--ROLE`` in its style sheet for tables.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, cast

from orderd.domain.order import OrderStatus

if TYPE_CHECKING:
    from orderd.wire.order_detail import AttemptOutcome

CheckResult = Literal["ok", "warn", "fail"]
ToneRole = Literal["good", "bad", "alarm", "waiting", "moving", "muted"]


class Tone(StrEnum):
    """The meaning of a colour; the value is a Rich style."""

    GOOD = "green"
    BAD = "red"
    ALARM = "bold red"  # needs the attention of an operator
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
        """The name of the role in table cells."""
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
"""Styles of the chain's name in the TUI, where it is always visible."""
CHECK_TONES: Final[dict[CheckResult, Tone]] = {"ok": Tone.GOOD, "warn": Tone.WARNING, "fail": Tone.ALARM}
