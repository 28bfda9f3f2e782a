"""The halts as this process last read them, to avoid work that would lead to no signature.

The statement that stores a signature decides (``db.halts``); this module only avoids useless work. So waiting orders
keep their state, and are compared with the market when the halt ends.
"""

import structlog

from db import halts
from db.audit import Actor
from db.connection import database
from orderd.domain.errors import OrderdError
from orderd.domain.halt import Halt, HaltCause
from orderd.wire.halts import HaltResult, HaltView, LiftResult

log = structlog.get_logger(__name__)


class Halts:
    """Thread-safe: many threads read it, and one refreshes it."""

    def __init__(self) -> None:
        self._error: OrderdError | None = None

    def known(self) -> OrderdError | None:
        """The error of the current halt as of the last refresh; None if there is none."""
        return self._error

    def refresh(self) -> OrderdError | None:
        """Read the halts now. Raises PeeweeException; then the last result stays."""
        with database.connection_context():
            self._error = current()
        return self._error


def current() -> OrderdError | None:
    """The error of the current halt; None if there is none. Needs a connection."""
    current = halts.current()
    return current[0].error if current else None


def halt(by: Actor, reason: str) -> HaltResult:
    """Halt trading: nothing new is signed, and no new order is accepted. Needs a connection."""
    current = halts.halt(HaltCause.OPERATOR, by, reason)
    log.warning("halted", action="halted", by=by.name, reason=reason)
    return HaltResult(halts=tuple(map(view, current)))


def lift(by: Actor) -> LiftResult:
    """Resume trading. Waiting orders continue from their current state.

    A halt for a restore ends by itself, when the trades since the backup are known.
    """
    lifted = halts.lift(by, HaltCause.OPERATOR, HaltCause.SHARED_WALLET)
    log.warning("halt lifted", action="halt_lifted", by=by.name, halts=len(lifted))
    return LiftResult(lifted=tuple(map(view, lifted)), halts=tuple(map(view, halts.current())))


def view(halt: Halt) -> HaltView:
    return HaltView(cause=halt.cause, actor=halt.actor, reason=halt.reason, at=halt.at)
