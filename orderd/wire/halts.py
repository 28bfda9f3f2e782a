"""The halt of all trading: what sets, shows and lifts it."""

from datetime import datetime

from pydantic import Field

from orderd.domain.halt import Halt, HaltCause
from orderd.wire.message import Message


class HaltView(Message):
    """Nothing new is signed and no new order is taken while this stands."""

    cause: HaltCause
    actor: str = Field(description="the name of the API key; empty where none was needed")
    reason: str
    at: datetime

    @property
    def summary(self) -> str:
        """In one line."""
        return Halt(self.cause, self.actor, self.reason, self.at).summary


class HaltParams(Message):
    reason: str = Field(min_length=1, max_length=200, description="shown to everybody whose order is refused or waits")


class HaltResult(Message):
    halts: tuple[HaltView, ...] = Field(description="all that stand now, the oldest first")


class LiftResult(Message):
    lifted: tuple[HaltView, ...] = Field(description="those that stood until now; empty where none did")
    halts: tuple[HaltView, ...] = Field((), description="those that still stand: after a restore one ends by itself")
