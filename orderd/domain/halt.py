"""Halts: while there is one, a daemon signs nothing new."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError


class HaltCause(StrEnum):
    """Causes of halts. Each halt is lifted separately, and nothing is signed while any is active."""

    OPERATOR = "operator"  # a key with the scope admin
    SHARED_WALLET = "shared_wallet"  # another installation has signed with the wallet
    RESTORE = "restore"  # the trades since a backup are not known yet

    @property
    def code(self) -> ErrorCode:
        """The text that waiting orders show."""
        return ErrorCode.WALLET_SHARED if self is HaltCause.SHARED_WALLET else ErrorCode.SERVICE_HALTED


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt: its author, time and reason."""

    cause: HaltCause
    actor: str
    reason: str
    at: datetime

    @property
    def error(self) -> OrderdError:
        """The error of an order that reaches the signature, or is submitted, during the halt."""
        return OrderdError(self.cause.code, self.summary)

    @property
    def summary(self) -> str:
        """In one line."""
        return f"halted by {self.actor or 'an operator'} at {self.at:%Y-%m-%d %H:%M:%S} UTC: {self.reason}"


CODES: Final = frozenset(cause.code for cause in HaltCause)
