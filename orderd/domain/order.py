"""An order's life: its states, what can happen to it, and the one table that says which move is legal."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orderd.domain.tokens import Token


class OrderStatus(StrEnum):
    PENDING = "pending"  # accepted; waits for a worker, a rate-limit slot or the end of a backoff
    ROUTING = "routing"  # a worker asks the venues
    BUILDING = "building"  # the route is chosen; the transaction is built, simulated and signed
    SUBMITTED = "submitted"  # signed bytes exist that may land: only the chain decides from here
    CONFIRMED = "confirmed"  # landed; the fill is what the chain says
    FAILED = "failed"  # ended without a fill, with a code
    CANCELLED = "cancelled"  # withdrawn before anything was signed


class OrderKind(StrEnum):
    MARKET = "market"  # at once, at the best price there is


TERMINAL: Final = frozenset({OrderStatus.CONFIRMED, OrderStatus.FAILED, OrderStatus.CANCELLED})
ACTIVE: Final = frozenset(OrderStatus) - TERMINAL


class EventKind(StrEnum):
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    STARTED = "started"
    ROUTED = "routed"
    SUBMITTED = "submitted"
    RETRYING = "retrying"
    RECLAIMED = "reclaimed"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # nobody can tell so far what became of what is signed
    ROLLED_BACK = "rolled_back"  # a success turned out to be in no block of the chain that won


_S, _E = OrderStatus, EventKind

TRANSITIONS: Final[dict[tuple[OrderStatus | None, EventKind], OrderStatus]] = {
    (None, _E.ACCEPTED): _S.PENDING,
    (_S.PENDING, _E.DEFERRED): _S.PENDING,
    (_S.PENDING, _E.STARTED): _S.ROUTING,
    (_S.PENDING, _E.CANCELLED): _S.CANCELLED,
    # An order that stopped its worker again and again is given up before it is routed once more.
    (_S.PENDING, _E.FAILED): _S.FAILED,
    (_S.ROUTING, _E.ROUTED): _S.BUILDING,
    (_S.ROUTING, _E.RETRYING): _S.PENDING,
    (_S.ROUTING, _E.RECLAIMED): _S.PENDING,
    (_S.ROUTING, _E.FAILED): _S.FAILED,
    # The worker that still routes or builds loses its fencing token and can no longer sign.
    (_S.ROUTING, _E.CANCELLED): _S.CANCELLED,
    (_S.BUILDING, _E.CANCELLED): _S.CANCELLED,
    # A pool of the route refused, nothing was signed: the same attempt takes another route.
    (_S.BUILDING, _E.ROUTED): _S.BUILDING,
    (_S.BUILDING, _E.SUBMITTED): _S.SUBMITTED,
    (_S.BUILDING, _E.RETRYING): _S.PENDING,
    (_S.BUILDING, _E.RECLAIMED): _S.PENDING,
    (_S.BUILDING, _E.FAILED): _S.FAILED,
    (_S.SUBMITTED, _E.CONFIRMED): _S.CONFIRMED,
    # Only after the attempt is proved dead: landed with an error, or expired.
    (_S.SUBMITTED, _E.RETRYING): _S.PENDING,
    (_S.SUBMITTED, _E.FAILED): _S.FAILED,
    # Nobody can tell for long what became of the signed bytes. Only a proof, or an operator, ends that.
    (_S.SUBMITTED, _E.UNKNOWN): _S.SUBMITTED,
    # The only way out of an end: the block in which it succeeded is not in the chain that won.
    (_S.CONFIRMED, _E.ROLLED_BACK): _S.SUBMITTED,
    # There is no (SUBMITTED, CANCELLED): signed bytes cannot be called back.
}


class IllegalTransitionError(Exception):
    """The event cannot happen to an order in this state."""

    def __init__(self, status: OrderStatus | None, kind: EventKind) -> None:
        super().__init__(f"{kind} cannot happen to an order that is {status or 'not there yet'}")


def next_status(status: OrderStatus | None, kind: EventKind) -> OrderStatus:
    """The state after ``kind``. Raises IllegalTransitionError where the table has no such row."""
    try:
        return TRANSITIONS[status, kind]
    except KeyError:
        raise IllegalTransitionError(status, kind) from None


def sources(kind: EventKind) -> frozenset[OrderStatus]:
    """The states in which ``kind`` may happen."""
    return frozenset(status for (status, event) in TRANSITIONS if event == kind and status is not None)


def target(kind: EventKind) -> OrderStatus:
    """The state that ``kind`` leads to: for every kind there is exactly one."""
    (status,) = {status for (_, event), status in TRANSITIONS.items() if event == kind}
    return status


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What the trader asked for: sell exactly ``amount_in`` base units, accept ``slippage_bps`` below the quote.

    Two submissions with one client order id are the same order when their terms are equal.
    """

    token_in: Token
    token_out: Token
    amount_in: int
    slippage_bps: int
