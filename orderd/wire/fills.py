"""Messages about fills and the trading history."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from orderd.domain.order import OrderKind
from orderd.wire.message import ACCOUNT, Message, Moment, Name

Cursor = Annotated[str, StringConstraints(pattern=r"^\d{1,17}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""The position after which a page begins, as the daemon returned it."""


class FillView(Message):
    """What a transaction of the order, or of an order that executes a part of it, traded according to the chain's
    balances."""

    order_id: UUID = Field(description="the order that the transaction belongs to")
    attempt: int
    signature: str
    slot: int | None = None
    at: datetime = Field(description="when orderd recorded the fill")
    amount_in: str
    amount_out: str
    price: str = Field(description="price of one token_in in token_out")
    mid: str | None = Field(
        None,
        description="mid price of one token_in in token_out when the route was chosen, before fees and price impact; "
        "null if unknown",
    )
    pool_fee: str | None = Field(None, description="fees of all pools, in token_in, as quoted")
    network_fee: str = Field(description="in SOL")
    rent: str | None = Field(None, description="rent of the token accounts that it created, in SOL")
    rolled_back_at: datetime | None = Field(
        None, description="when its block turned out to be on an abandoned fork; the fill then does not count"
    )


class HistoryParams(Message):
    """Selects fills. Fills whose block was rolled back are not included."""

    token: Name | None = Field(None, description="only orders that sell or buy this token; symbol or mint address")
    kind: tuple[OrderKind, ...] = Field(
        (),
        description="only fills of orders of these kinds, and of the orders that execute them in part; if empty, all "
        "kinds",
    )
    account: Name | None = Field(None, description=ACCOUNT)
    since: Moment | None = Field(None, description="only fills at or after this time, in ISO 8601 with a time zone")
    until: Moment | None = Field(None, description="only fills before this time")
    limit: int = Field(50, ge=1, le=500)
    cursor: Cursor | None = Field(None, description="the next_cursor of the previous page")


class HistoryFill(FillView):
    """A fill with details of its order. Slippage is in basis points; it is positive if the fill was worse."""

    client_order_id: str
    account: str
    kind: OrderKind
    parent_id: UUID | None = Field(None, description="the order that this one executed in part")
    token_in: str
    token_out: str
    venue: str | None = Field(None, description="the venue of the largest leg")
    quote_slippage_bps: str | None = Field(None, description="compared with the quote of the route that was sent")
    mid_slippage_bps: str | None = Field(None, description="compared with the mid price when the route was chosen")


class PairTotal(Message):
    """The total of all fills of a pair in one direction."""

    token_in: str
    token_out: str
    fills: int
    amount_in: str
    amount_out: str
    price: str = Field(description="average price of one token_in in token_out")


class HistoryTotals(Message):
    """The totals of all fills that match the filters, not only of this page."""

    fills: int
    network_fee: str = Field(description="in SOL")
    rent: str = Field(description="rent of the token accounts that they created, in SOL")
    pairs: tuple[PairTotal, ...]


class HistoryResult(Message):
    """Newest first. Only the first page has ``totals``; the last page has no ``next_cursor``."""

    fills: tuple[HistoryFill, ...]
    totals: HistoryTotals | None
    next_cursor: str | None
