"""Messages about what has been: fills, and what they came to. As in ``orderd.wire``, on which they are built.

They stand apart because whoever sends or follows an order needs none of them.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from orderd.domain.order import OrderKind
from orderd.wire import ACCOUNT, FillView, Message, Name

Moment = Annotated[str, StringConstraints(max_length=40)]
"""A time in ISO 8601 with its zone."""
Cursor = Annotated[str, StringConstraints(pattern=r"^\d{1,17}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""As the daemon gives it out."""


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


class PricesParams(Message):
    """Candles of a pair. It is told in the quote token that prices of it always have, whichever is named first."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    pair: Name = Field(description="two tokens, each a symbol or a mint address, such as SOL/USDC")
    interval: Annotated[str, StringConstraints(max_length=10)] = Field("1m", description="such as 1m, 5m, 1h or 1d")
    since: Moment | None = Field(None, alias="from", description="candles that begin from then on, in ISO 8601")
    until: Moment | None = Field(None, alias="to", description="candles that begin before then")
    limit: int = Field(240, ge=1, le=1_000, description="the newest ones")


class PriceCandle(Message):
    """What the pair cost in an interval that begins at ``at``, before fees and price impact."""

    at: datetime
    open: str
    high: str
    low: str
    close: str


class PricesResult(Message):
    """Oldest first. An interval in which no pool of the pair was read has no candle, and no volume is known."""

    base: str
    quote: str
    interval: str
    candles: tuple[PriceCandle, ...]
