"""The life cycle of an order: its states, its events, and the table of legal transitions.

All code that needs a set of states (a statement, a screen, a shell's completion) takes it from here, so that a new
state is a row of STATES and the rows of TRANSITIONS that lead to it and away from it. Loads no library: completion
reads it.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from functools import cache
from typing import Final


class OrderStatus(StrEnum):
    HELD = "held"  # accepted; waits for the fill of its entry, which buys what it sells
    OPEN = "open"  # accepted; rests until the market meets its condition
    PENDING = "pending"  # accepted; waits for a worker, a rate-limit slot or the end of a backoff
    ROUTING = "routing"  # a worker asks the venues
    BUILDING = "building"  # the route is chosen; the transaction is built, simulated and signed
    SUBMITTED = "submitted"  # signed bytes exist that may land: only the chain decides from here
    CONFIRMED = "confirmed"  # landed; the fill is what the chain says
    FAILED = "failed"  # ended without a fill, with a code
    CANCELLED = "cancelled"  # withdrawn before anything was signed
    EXPIRED = "expired"  # its validity ended while it waited; nothing that was signed can land


class OrderKind(StrEnum):
    MARKET = "market"  # at once, at the best price there is
    LIMIT = "limit"  # when the best route pays the limit price, and never for less
    STOP = "stop"  # when the market has come down to the stop price; then at the best price there is
    STOP_LIMIT = "stop_limit"  # when the market has come down to the stop price; then as a limit order
    TAKE_PROFIT = "take_profit"  # when the market pays the price; then at the best price there is
    TRAILING = "trailing"  # a stop whose price follows the best one that the market has paid
    OCO = "oco"  # a take-profit and a stop for one amount: what one of them sells, the other does not
    TWAP = "twap"  # in several executions at an interval
    ON_LIQUIDITY = "on_liquidity"  # when pools of its pair have the required liquidity; then as a limit order


MARKET_EXITS: Final = frozenset({OrderKind.STOP, OrderKind.TRAILING, OrderKind.OCO})
"""Kinds that must sell once they have fired: each attempt uses the current price."""


def has_children(kind: OrderKind, *, partial: bool) -> bool:
    """Whether such an order is executed by child orders."""
    return partial or kind in (OrderKind.OCO, OrderKind.TWAP)


class TimeInForce(StrEnum):
    """How long a limit order may wait for its price."""

    GTC = "gtc"  # until it is filled, cancelled or no longer valid
    IOC = "ioc"  # not at all: the part that gets its limit is executed immediately, and the rest ends
    FOK = "fok"  # not at all: the whole amount is executed immediately, or the order ends


class CatchUp(StrEnum):
    """How missed times are made up, after the daemon was away or an execution took long."""

    ONE = "one"  # one execution for all of them; the later executions share the missed amounts
    ALL = "all"  # each of them, one right after the other
    NONE = "none"  # no execution; the later executions share the missed amounts


class Floor(StrEnum):
    """The quote from which the minimum that an order accepts is computed."""

    FIRST = "first"  # the first route's, for all attempts
    EACH = "each"  # each route's own


class Phase(Enum):
    """Which part of the program acts next on an order. Every state is in one phase."""

    HELD = auto()  # the exits: it waits for the fill of another order, and ends if that is not filled
    RESTING = auto()  # the triggers: it waits for a condition, and is checked when the market moves
    WAITING = auto()  # dispatch: in line with a due time, and put into the queue when that has come
    WORKING = auto()  # a worker, under a lease; nothing is signed, so it is reclaimed when the lease runs out
    SIGNED = auto()  # a worker, under a lease; signed bytes may land, so it is adopted when the lease runs out
    FILLED = auto()  # none: it has ended with a fill
    UNFILLED = auto()  # none: it has ended without a fill


@dataclass(frozen=True, slots=True)
class State:
    """The properties of a state.

    ``label`` is its name in a progress bar; ``stage`` its position on the way to a fill, from 0, or None if it is not
    on that way.
    """

    phase: Phase
    label: str
    stage: int | None = None


_S = OrderStatus

STATES: Final[dict[OrderStatus, State]] = {
    _S.HELD: State(Phase.HELD, "held"),
    _S.OPEN: State(Phase.RESTING, "open"),
    _S.PENDING: State(Phase.WAITING, "queued", 0),
    _S.ROUTING: State(Phase.WORKING, "routing", 1),
    _S.BUILDING: State(Phase.WORKING, "building", 2),
    _S.SUBMITTED: State(Phase.SIGNED, "submitted", 3),
    _S.CONFIRMED: State(Phase.FILLED, "confirmed", 4),
    _S.FAILED: State(Phase.UNFILLED, "failed"),
    _S.CANCELLED: State(Phase.UNFILLED, "cancelled"),
    _S.EXPIRED: State(Phase.UNFILLED, "expired"),
}


def _in_phase(*phases: Phase) -> frozenset[OrderStatus]:
    return frozenset(status for status, state in STATES.items() if state.phase in phases)


HELD: Final = _in_phase(Phase.HELD)
RESTING: Final = _in_phase(Phase.RESTING)
WAITING: Final = _in_phase(Phase.WAITING)
WORKING: Final = _in_phase(Phase.WORKING)
SIGNED: Final = _in_phase(Phase.SIGNED)
LEASED: Final = WORKING | SIGNED
"""In a worker's hands, under a lease."""
IDLE: Final = HELD | RESTING
"""No process acts on it before another order is filled, or the market has moved."""
FILLED: Final = _in_phase(Phase.FILLED)
UNFILLED: Final = _in_phase(Phase.UNFILLED)
TERMINAL: Final = FILLED | UNFILLED
ACTIVE: Final = frozenset(OrderStatus) - TERMINAL
STAGES: Final = tuple(
    status for _, status in sorted((state.stage, status) for status, state in STATES.items() if state.stage is not None)
)
"""The states on the way to a fill, in order."""


class EventKind(StrEnum):
    ACCEPTED = "accepted"
    RELEASED = "released"  # its entry is filled: it sells what was bought
    EXECUTING = "executing"  # a child order executes a part of it
    FILLED = "filled"  # a part of it is executed for good
    TRIGGERED = "triggered"  # the market has met its condition
    DEFERRED = "deferred"
    STARTED = "started"
    ROUTED = "routed"
    SUBMITTED = "submitted"
    RETRYING = "retrying"
    RECLAIMED = "reclaimed"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    AMENDED = "amended"  # its price, amount or validity is another now
    CANCEL_REQUESTED = "cancel_requested"  # its transaction is signed: it is not tried again
    RECOVERED = "recovered"  # its transaction was found on the chain, which a restored database did not know
    UNKNOWN = "unknown"  # the outcome of what is signed is unknown so far
    ROLLED_BACK = "rolled_back"  # a success turned out to be in a block of a fork that died


_E = EventKind

TRANSITIONS: Final[tuple[tuple[OrderStatus | None, EventKind, OrderStatus], ...]] = (
    (None, _E.ACCEPTED, _S.PENDING),
    (None, _E.ACCEPTED, _S.OPEN),
    # What follows a purchase, from the acceptance of that on.
    (None, _E.ACCEPTED, _S.HELD),
    (_S.HELD, _E.RELEASED, _S.OPEN),
    (_S.HELD, _E.AMENDED, _S.HELD),
    (_S.HELD, _E.CANCELLED, _S.CANCELLED),
    (_S.HELD, _E.EXPIRED, _S.EXPIRED),
    (_S.OPEN, _E.TRIGGERED, _S.PENDING),
    (_S.OPEN, _E.AMENDED, _S.OPEN),
    # Of an order that is executed by others: it rests until they have ended, and ends as they did.
    (_S.OPEN, _E.EXECUTING, _S.OPEN),
    (_S.OPEN, _E.FILLED, _S.OPEN),
    (_S.OPEN, _E.RETRYING, _S.OPEN),
    (_S.OPEN, _E.DEFERRED, _S.OPEN),
    (_S.OPEN, _E.CANCEL_REQUESTED, _S.OPEN),
    (_S.OPEN, _E.CONFIRMED, _S.CONFIRMED),
    (_S.OPEN, _E.FAILED, _S.FAILED),
    (_S.OPEN, _E.CANCELLED, _S.CANCELLED),
    (_S.OPEN, _E.EXPIRED, _S.EXPIRED),
    # A limit order rests again after a failed try, and instead of waiting for a service.
    (_S.ROUTING, _E.DEFERRED, _S.OPEN),
    (_S.ROUTING, _E.RETRYING, _S.OPEN),
    (_S.BUILDING, _E.DEFERRED, _S.OPEN),
    (_S.BUILDING, _E.RETRYING, _S.OPEN),
    (_S.SUBMITTED, _E.RETRYING, _S.OPEN),
    (_S.PENDING, _E.DEFERRED, _S.PENDING),
    (_S.PENDING, _E.STARTED, _S.ROUTING),
    (_S.PENDING, _E.CANCELLED, _S.CANCELLED),
    (_S.PENDING, _E.EXPIRED, _S.EXPIRED),
    # An order that stopped its worker again and again is given up before it is routed once more.
    (_S.PENDING, _E.FAILED, _S.FAILED),
    (_S.ROUTING, _E.ROUTED, _S.BUILDING),
    # A service is unavailable: it waits, and the turn does not count.
    (_S.ROUTING, _E.DEFERRED, _S.PENDING),
    (_S.ROUTING, _E.EXPIRED, _S.EXPIRED),
    (_S.ROUTING, _E.RETRYING, _S.PENDING),
    (_S.ROUTING, _E.RECLAIMED, _S.PENDING),
    (_S.ROUTING, _E.FAILED, _S.FAILED),
    # The worker that still routes or builds loses its fencing token and can no longer sign.
    (_S.ROUTING, _E.CANCELLED, _S.CANCELLED),
    (_S.BUILDING, _E.CANCELLED, _S.CANCELLED),
    # A pool of the route refused, nothing was signed: the same attempt takes another route.
    (_S.BUILDING, _E.ROUTED, _S.BUILDING),
    (_S.BUILDING, _E.SUBMITTED, _S.SUBMITTED),
    (_S.BUILDING, _E.DEFERRED, _S.PENDING),
    (_S.BUILDING, _E.EXPIRED, _S.EXPIRED),
    (_S.BUILDING, _E.RETRYING, _S.PENDING),
    (_S.BUILDING, _E.RECLAIMED, _S.PENDING),
    (_S.BUILDING, _E.FAILED, _S.FAILED),
    # Its transaction was signed after the backup from which the database was restored.
    (_S.OPEN, _E.RECOVERED, _S.SUBMITTED),
    (_S.PENDING, _E.RECOVERED, _S.SUBMITTED),
    (_S.ROUTING, _E.RECOVERED, _S.SUBMITTED),
    (_S.BUILDING, _E.RECOVERED, _S.SUBMITTED),
    (_S.SUBMITTED, _E.CONFIRMED, _S.CONFIRMED),
    # Only after the attempt is proved dead: landed with an error, or expired.
    (_S.SUBMITTED, _E.RETRYING, _S.PENDING),
    (_S.SUBMITTED, _E.FAILED, _S.FAILED),
    # It ends like its transaction; if that fails, it waits for a moment and is cancelled.
    (_S.SUBMITTED, _E.CANCEL_REQUESTED, _S.SUBMITTED),
    # The outcome of the signed bytes is unknown for long. Only a proof, or an operator, ends that.
    (_S.SUBMITTED, _E.UNKNOWN, _S.SUBMITTED),
    # The only transition out of a terminal state: the block in which it succeeded was rolled back.
    (_S.CONFIRMED, _E.ROLLED_BACK, _S.SUBMITTED),
    # There is no (SUBMITTED, CANCELLED) or (SUBMITTED, EXPIRED): signed bytes cannot be called back.
)
"""The state before, what happens, the state after. One event may lead from one state to several."""


class IllegalTransitionError(Exception):
    """The event cannot happen in this state, or does not lead to the other one."""

    def __init__(self, status: OrderStatus | None, kind: EventKind, to: OrderStatus | None = None) -> None:
        goal = f" and make it {to}" if to else ""
        super().__init__(f"{kind} cannot happen to an order that is {status or 'not there yet'}{goal}")


class UnclearTransitionError(Exception):
    """The event may lead to several states, and none was given."""

    def __init__(self, kind: EventKind, found: frozenset[OrderStatus]) -> None:
        super().__init__(f"{kind} leads to {' or '.join(sorted(found)) or 'no state'}: say to which")


def next_status(status: OrderStatus | None, kind: EventKind, to: OrderStatus | None = None) -> OrderStatus:
    """The state after ``kind``; ``to`` names it if the table has several.

    Raises IllegalTransitionError if the table has no such row, UnclearTransitionError if it has several.
    """
    found = frozenset(after for before, event, after in TRANSITIONS if (before, event) == (status, kind))
    if not found or (to is not None and to not in found):
        raise IllegalTransitionError(status, kind, to)
    return _one(kind, found if to is None else frozenset({to}))


def sources(kind: EventKind, to: OrderStatus | None = None) -> frozenset[OrderStatus]:
    """The states in which ``kind`` may happen; with ``to``, only those from which it leads there."""
    return frozenset(
        before for before, event, after in TRANSITIONS if event == kind and before is not None and to in (None, after)
    )


@cache
def target(kind: EventKind, to: OrderStatus | None = None) -> OrderStatus:
    """The state that ``kind`` leads to, whatever the state before; ``to`` names it if there are several.

    Raises UnclearTransitionError if ``kind`` does not lead to ``to``, or leads to several states and none is named.
    """
    found = frozenset(after for _, event, after in TRANSITIONS if event == kind)
    return _one(kind, found if to is None else found & {to})


def _one(kind: EventKind, found: frozenset[OrderStatus]) -> OrderStatus:
    if len(found) != 1:
        raise UnclearTransitionError(kind, found)
    (status,) = found
    return status


CANCELLABLE: Final = sources(EventKind.CANCELLED)
"""Nothing is signed, and it has not ended."""
