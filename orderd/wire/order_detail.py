"""All that is known of one order, and what becomes of one whose outcome is open."""

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
"""How many of the orders that execute another one are shown with it, the newest ones."""


AttemptOutcome = Literal["live", "landed", "failed", "expired", "abandoned"]
"""What became of a signed transaction; ``abandoned``: an operator took it for dead, and nothing proved it."""


class AttemptView(Message):
    """One signed transaction of an order."""

    number: int
    signature: str
    venue: VenueName
    pool: str
    min_amount_out: str
    max_amount_in: str | None = Field(
        None, exclude_if=lambda amount: amount is None, description="of an exact output: the most that it could cost"
    )
    last_valid_block_height: int
    sends: int
    outcome: AttemptOutcome
    slot: int | None = None
    is_final: bool = Field(True, description="false while the block in which it landed may be rolled back")
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
    fills: tuple[FillView, ...] = Field((), description="oldest first; of each order there is one at most that counts")
    children: tuple[OrderView, ...] = Field(
        (),
        exclude_if=lambda children: not children,
        description=f"the orders that execute it and what follows it, oldest first; the newest {CHILDREN_SHOWN}",
    )


class EvidenceResult(Message):
    """What is known of a submitted order's transaction, and what the chain says of it now."""

    order: OrderView
    attempt: AttemptView
    blockhash_slot: int | None = Field(description="it could land only after this slot; null where that was not kept")
    finalized_height: int | None = Field(
        description="above the attempt's last valid one it can land no more; null where the chain could not be asked"
    )
    status: str = Field(description="what the chain says of the signature; not found proves nothing")
    paid_by_wallet: tuple[str, ...] = Field(description="transactions of this order that succeeded, as far as found")
    trouble: str = Field(description="why the chain could not be asked, where that is so")


class Resolved(Message):
    """What became of an order whose outcome is unknown: give ``landed`` or ``dead``, and not both."""

    landed: str | None = Field(None, max_length=100, description="the signature of its transaction that succeeded")
    dead: bool = Field(False, description="it has not landed and never will; the order fails and is not tried again")


class ResolveParams(Resolved):
    order: OrderRef


class ResolveResult(Message):
    order: OrderView
