"""Messages about halts of trading."""

from datetime import datetime

from pydantic import Field

from orderd.domain.halt import Halt, HaltCause
from orderd.wire.message import Message


class HaltView(Message):
    """A halt that is in force: nothing new is signed and no new order is accepted."""

    cause: HaltCause
    actor: str = Field(description="the name of the API key; empty if none was required")
    reason: str
    at: datetime

    @property
    def summary(self) -> str:
        """The halt in one line."""
        return Halt(self.cause, self.actor, self.reason, self.at).summary


class HaltParams(Message):
    reason: str = Field(
        min_length=1, max_length=200, description="shown to every trader whose order is refused or waits"
    )


class HaltResult(Message):
    halts: tuple[HaltView, ...] = Field(description="all halts that are in force, oldest first")


class LiftResult(Message):
    lifted: tuple[HaltView, ...] = Field(description="the halts that were lifted; empty if there were none")
    halts: tuple[HaltView, ...] = Field(
        (), description="the halts that remain in force: the one after a restore ends by itself"
    )
