"""The events of an order, numbered 1, 2, 3, ... without gaps: they are shown to the trader and stored.

Amounts and prices are decimal strings in whole tokens, times are UTC.
"""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from orderd.domain.errors import ErrorCode
from orderd.domain.order import EventKind, OrderStatus
from orderd.domain.pool_kind import VenueName
from orderd.domain.quoted import Fact, Quoted, Refused, RoutedLeg
from orderd.domain.terms_formatted import FormattedTerms


class _Acceptance(Fact):  # a base class, so that its members come before the terms
    kind: Literal[EventKind.ACCEPTED] = EventKind.ACCEPTED
    client_order_id: str
    account: str | None = None
    label: str | None = Field(
        None,
        exclude_if=lambda label: label is None,
        description="what a client of another engine named as its wallet; not a part of the terms",
    )
    parent_id: UUID | None = Field(
        None, exclude_if=lambda parent: parent is None, description="the order that this one executes, or a part of it"
    )
    entry_id: UUID | None = Field(
        None, exclude_if=lambda entry: entry is None, description="the order that buys what this one sells"
    )


class Accepted(FormattedTerms, _Acceptance):
    """The order was accepted. Contains the terms, so that a client that follows all orders needs no other source.
    ``slippage`` in percent.

    ``account`` is the name of the order's account; older events have none.
    """


class Released(Fact):
    """The fill of the order ``entry`` is final: this order sells what that one has received."""

    kind: Literal[EventKind.RELEASED] = EventKind.RELEASED
    entry: UUID
    amount_in: str


class Executing(Fact):
    """The order ``child`` executes ``amount_in`` of it; ``number`` counts these from 1."""

    kind: Literal[EventKind.EXECUTING] = EventKind.EXECUTING
    child: UUID
    number: int
    amount_in: str


class FilledPart(Fact):
    """The amounts that its children have sold and received so far, final."""

    kind: Literal[EventKind.FILLED] = EventKind.FILLED
    amount_in: str
    amount_out: str
    executed_price: str
    remaining: str


class Triggered(Fact):
    """The market has met the order's condition: the best route pays ``amount_out`` for the whole amount, at ``slot``.

    ``price`` has its unit. ``condition`` is the met condition, and ``met_at_slot`` the slot of the first check that met
    it, if several checks confirmed a stop.
    """

    kind: Literal[EventKind.TRIGGERED] = EventKind.TRIGGERED
    price: str
    amount_out: str
    condition: str
    slot: int
    met_at_slot: int


RATE_LIMIT: Final = "rate limit"
"""The reason of an order that waits for a start. Migrations and an index name it too."""


ENTRY_FILL: Final = "fill of its entry"
"""The stored reason for which a held order waits."""


class Deferred(Fact):
    """The order waits, for the given reason; this does not use up an attempt. ``until`` is an estimate.

    There is one event per reason: while the reason stays, the order may begin sooner or later than estimated. If it
    waits until an error is over, ``code`` is that error's and ``detail`` says what happened.
    """

    kind: Literal[EventKind.DEFERRED] = EventKind.DEFERRED
    until: datetime
    reason: str
    code: ErrorCode | None = None
    detail: str | None = None


class Started(Fact):
    """A worker has begun attempt number ``attempt``."""

    kind: Literal[EventKind.STARTED] = EventKind.STARTED
    attempt: int


class Routed(Fact):
    """Every pool's answer and the choice: ``chosen`` pays the most, over the legs of ``route``.

    ``gain_bps`` is the gain over the best single pool; None if no single pool takes the whole order. For an exact
    output, ``max_amount_in`` is the maximum cost, and ``gain_bps`` the saving.
    """

    kind: Literal[EventKind.ROUTED] = EventKind.ROUTED
    chosen: Quoted
    quotes: tuple[Quoted, ...]
    refusals: tuple[Refused, ...] = ()
    min_amount_out: str
    max_amount_in: str | None = Field(None, exclude_if=lambda amount: amount is None)
    route: tuple[RoutedLeg, ...] = ()
    gain_bps: str | None = None


class Submitted(Fact):
    """Signed and stored, and sent next. ``last_valid_block_height`` is the height at which it expires."""

    kind: Literal[EventKind.SUBMITTED] = EventKind.SUBMITTED
    attempt: int
    signature: str
    last_valid_block_height: int


class Retrying(Fact):
    """Attempt ``attempt`` has failed for certain; the next one is due at ``until``."""

    kind: Literal[EventKind.RETRYING] = EventKind.RETRYING
    attempt: int
    code: ErrorCode
    detail: str
    until: datetime


class Reclaimed(Fact):
    """The worker that held the order is gone; nothing had been signed."""

    kind: Literal[EventKind.RECLAIMED] = EventKind.RECLAIMED


class Recovered(Fact):
    """A transaction of the order was found on the chain that was signed after the backup of a restored database."""

    kind: Literal[EventKind.RECOVERED] = EventKind.RECOVERED
    attempt: int
    signature: str


class LeftOver(Fact):
    """An amount that the wallet received in addition to the purchase."""

    token: str
    amount: str


class Confirmed(Fact):
    """The fill, from the changes of balances on the chain. ``network_fee`` and ``rent`` (of new token accounts) are in
    SOL.

    ``left_over`` is the output of the first of two hops that the second one did not spend.
    """

    kind: Literal[EventKind.CONFIRMED] = EventKind.CONFIRMED
    attempt: int
    signature: str
    venue: VenueName
    slot: int
    amount_in: str
    amount_out: str
    executed_price: str
    network_fee: str
    rent: str | None = None
    left_over: tuple[LeftOver, ...] = ()


class Unknown(Fact):
    """The outcome of the transaction is unknown so far. It is still followed; nothing else is signed."""

    kind: Literal[EventKind.UNKNOWN] = EventKind.UNKNOWN
    attempt: int
    signature: str


class RolledBack(Fact):
    """The block in which it succeeded, that of ``slot``, lost to another fork. The same transaction may land again."""

    kind: Literal[EventKind.ROLLED_BACK] = EventKind.ROLLED_BACK
    attempt: int
    signature: str
    slot: int


class CancelRequested(Fact):
    """The order is signed, so its transaction may still land. There are no further attempts; the order ends with the
    outcome of this one."""

    kind: Literal[EventKind.CANCEL_REQUESTED] = EventKind.CANCEL_REQUESTED


class _Amendment(Fact):  # a base class, so that its members come before the terms
    kind: Literal[EventKind.AMENDED] = EventKind.AMENDED


class Amended(FormattedTerms, _Amendment):
    """The terms that count from here on."""


class Failed(Fact):
    kind: Literal[EventKind.FAILED] = EventKind.FAILED
    attempt: int
    code: ErrorCode
    detail: str


class Cancelled(Fact):
    kind: Literal[EventKind.CANCELLED] = EventKind.CANCELLED


class Expired(Fact):
    """The order's validity ended before a transaction that could land was signed. ``detail`` is the reason of its
    wait."""

    kind: Literal[EventKind.EXPIRED] = EventKind.EXPIRED
    code: Literal[ErrorCode.ORDER_EXPIRED] = ErrorCode.ORDER_EXPIRED
    detail: str


AnyFact = Annotated[
    Accepted
    | Released
    | Executing
    | FilledPart
    | Triggered
    | Deferred
    | Started
    | Routed
    | Submitted
    | Unknown
    | Retrying
    | Reclaimed
    | Recovered
    | Confirmed
    | RolledBack
    | Failed
    | Amended
    | CancelRequested
    | Cancelled
    | Expired,
    Field(discriminator="kind"),
]


class OrderEvent(Fact):
    """A fact with its place in the order's history; ``status`` is the state that it led to."""

    order_id: UUID
    seq: int
    at: datetime
    status: OrderStatus
    data: AnyFact
