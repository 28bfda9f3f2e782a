"""What was traded: the fills of an order, and of all of them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from orderd.domain.order import OrderKind
from orderd.wire.message import ACCOUNT, Message, Moment, Name

Cursor = Annotated[str, StringConstraints(pattern=r"^\d{1,17}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""As the daemon gives it out."""


class FillView(Message):
    """What a transaction of the order, or of one that executes a part of it, traded, as the chain's balances say."""

    order_id: UUID = Field(description="whose transaction it was")
    attempt: int
    signature: str
    slot: int | None = None
    at: datetime = Field(description="when it became known")
    amount_in: str
    amount_out: str
    price: str = Field(description="of one token_in in token_out")
    mid: str | None = Field(
        None,
        description="of one token_in in token_out when the route was chosen, before fees and depth: between the pools "
        "that were best to sell to and to buy from; null where it could not be told",
    )
    pool_fee: str | None = Field(None, description="in token_in, of all pools, as the route told it")
    network_fee: str = Field(description="in SOL")
    rent: str | None = Field(None, description="in SOL, of token accounts that it made")
    rolled_back_at: datetime | None = Field(
        None, description="when its block turned out to be in no chain that won: it does not count"
    )


class HistoryParams(Message):
    """Which fills. Those whose block the chain took back are none."""

    token: Name | None = Field(None, description="on either side; symbol or mint address")
    kind: tuple[OrderKind, ...] = Field((), description="of the orders that were filled; any where empty")
    account: Name | None = Field(None, description=ACCOUNT)
    since: Moment | None = Field(None, description="fills from then on, in ISO 8601 with a zone")
    until: Moment | None = Field(None, description="fills before then")
    limit: int = Field(50, ge=1, le=500)
    cursor: Cursor | None = Field(None, description="the next_cursor of the page before")


class HistoryFill(FillView):
    """A fill with what there is to know of its order. Slippage in basis points, positive where the fill was worse."""

    client_order_id: str
    account: str
    kind: OrderKind
    parent_id: UUID | None = Field(None, description="the order of which this one executed a part")
    token_in: str
    token_out: str
    venue: str | None = Field(None, description="of the largest leg")
    quote_slippage_bps: str | None = Field(None, description="against the quote of the route that was sent")
    mid_slippage_bps: str | None = Field(None, description="against the mid price when the route was decided")


class PairTotal(Message):
    """What all fills of a pair in one direction came to."""

    token_in: str
    token_out: str
    fills: int
    amount_in: str
    amount_out: str
    price: str = Field(description="of one token_in in token_out, over all of them")


class HistoryTotals(Message):
    """Of all fills that the filters let through, not of the page alone."""

    fills: int
    network_fee: str = Field(description="in SOL")
    rent: str = Field(description="in SOL, of token accounts that they made")
    pairs: tuple[PairTotal, ...]


class HistoryResult(Message):
    """Newest first. ``totals`` come with the first page; ``next_cursor`` is absent on the last one."""

    fills: tuple[HistoryFill, ...]
    totals: HistoryTotals | None
    next_cursor: str | None
