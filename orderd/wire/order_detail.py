"""Messages with all details of one order, and messages that resolve an unknown outcome."""

from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from orderd.domain.errors import ErrorCode
from orderd.domain.events import OrderEvent
from orderd.domain.pool_kind import VenueName
from orderd.wire.fills import FillView
from orderd.wire.message import Message, OrderRef
from orderd.wire.orders import OrderView

CHILDREN_SHOWN: Final = 100
"""Maximum number of child orders that are returned with an order: the newest ones."""


AttemptOutcome = Literal["live", "landed", "failed", "expired", "abandoned"]
"""The outcome of a signed transaction; ``abandoned``: an operator declared it dead without a proof."""


class AttemptView(Message):
    """One signed transaction of an order."""

    number: int
    signature: str
    venue: VenueName
    pool: str
    min_amount_out: str
    max_amount_in: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="for an exact output: the maximum cost"
    )
    last_valid_block_height: int
    sends: int
    outcome: AttemptOutcome
    slot: int | None = None
    is_final: bool = Field(True, description="false while its block may still be rolled back")
    signed_at: datetime
    settled_at: datetime | None = None


class FailureView(Message):
    """Why an attempt failed."""

    attempt: int
    code: ErrorCode
    detail: str
    signature: str | None = None
    logs: tuple[str, ...] = ()
    at: datetime


class OrderDetail(Message):
    order: OrderView
    events: tuple[OrderEvent, ...]
    attempts: tuple[AttemptView, ...]
    failures: tuple[FailureView, ...]
    fills: tuple[FillView, ...] = Field((), description="oldest first; at most one fill per order counts")
    children: tuple[OrderView, ...] = Field(
        (),
        exclude_if=lambda children: not children,
        description=f"the orders that execute it, and its exit orders, oldest first; the newest {CHILDREN_SHOWN}",
    )


class EvidenceResult(Message):
    """What is known about a submitted order's transaction, and what the chain reports about it now."""

    order: OrderView
    attempt: AttemptView
    blockhash_slot: int | None = Field(description="it can only land after this slot; null if not stored")
    finalized_height: int | None = Field(
        description="above the attempt's last valid block height it can no longer land; null if the chain did not "
        "respond"
    )
    status: str = Field(description="what the chain reports about the signature; 'not found' is not a proof")
    paid_by_wallet: tuple[str, ...] = Field(description="successful transactions of this order that were found")
    trouble: str = Field(description="why the chain did not respond; empty if it did")


class Resolved(Message):
    """The resolution of an unknown outcome: either ``landed`` or ``dead``."""

    landed: str | None = Field(None, max_length=100, description="the signature of the transaction that succeeded")
    dead: bool = Field(
        False, description="the transaction has not landed and never will; the order fails and is not retried"
    )


class ResolveParams(Resolved):
    order: OrderRef


class ResolveResult(Message):
    order: OrderView
