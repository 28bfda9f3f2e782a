"""Messages about what has been: fills, and what they came to. As in ``orderd.wire``, on which they are built.

They stand apart because whoever sends or follows an order needs none of them.
"""

from datetime import datetime
from typing import Annotated, Literal
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

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

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


class PricesSubscribeParams(Message):
    """The pair whose candles are followed, as for ``prices``."""

    pair: Name = Field(description="two tokens, each a symbol or a mint address, such as SOL/USDC")
    interval: Annotated[str, StringConstraints(max_length=10)] = Field("1m", description="such as 1m, 5m, 1h or 1d")


class PricesSubscribeResult(PricesResult):
    """The newest candles as they stand; each of their changes follows."""

    subscription: int


class CandleChange(Message):
    """A candle that is new or has changed, whole: it replaces the one of the same ``at``."""

    subscription: int
    base: str
    quote: str
    interval: str
    candle: PriceCandle


Unit = Literal["USDC", "SOL"]
"""What values are told in."""


class PnlParams(Message):
    """What was earned. Lots are made of all that ever happened; ``since`` chooses the days that are told."""

    unit: Unit = "USDC"
    method: Literal["fifo", "average"] = Field("fifo", description="which lots a sale takes")
    account: Name | None = Field(None, description=ACCOUNT)
    since: Moment | None = Field(None, description="days from then on, in UTC")


class _Earned(Message):
    realised: str = Field(description="what sales brought above the cost of what was sold, in the unit")
    fees: str = Field(description="what network fees cost, tips included, in the unit")
    rent: str = Field(description="what rent of token accounts cost, in the unit")


class PnlToken(_Earned):
    """What is held of a token by the records, and what came of it. Amounts in the token, values in the unit."""

    token: str
    mint: str
    held: str = Field(description="all that came less all that went")
    cost: str = Field(description="of what is held, as far as it is known")
    price: str | None = Field(description="of one token now; null where no price is kept")
    value: str | None
    unrealised: str | None = Field(description="value above cost, of what has a cost")
    uncovered: str = Field(description="what was sold that is not known to have come: it neither gained nor lost")
    is_estimated: bool = Field(description="whether costs are by the mid price of a moment: deposits, and other pairs")


class PnlDay(_Earned):
    """What came of a token on a day in UTC."""

    day: str
    token: str


class PnlTotals(_Earned):
    unrealised: str | None = Field(description="null where the price of a token is not known")
    net: str | None = Field(description="realised and unrealised, less fees and rent")


class PnlResult(Message):
    """Of an account its fills; of all accounts also what came to the wallet and left it beside them."""

    unit: Unit
    method: Literal["fifo", "average"]
    since: Moment | None
    tokens: tuple[PnlToken, ...]
    days: tuple[PnlDay, ...]
    totals: PnlTotals
    fills: int
    movements: int


class PortfolioParams(Message):
    unit: Unit = "USDC"


class Holding(Message):
    """A token that the wallet holds. ``value`` in the unit."""

    token: str
    mint: str
    amount: str
    price: str | None = Field(description="of one token in the unit; null where no price is kept")
    value: str | None
    share: str | None = Field(description="of the value of all that has a price, in percent")
    change: str | None = Field(description="of the price within a day, in percent")


class PortfolioResult(Message):
    """``value`` is that of all tokens whose price is known; ``change`` is that of the value of these amounts
    within a day, in percent, where all prices of a day ago are known."""

    wallet: str
    unit: Unit
    value: str
    change: str | None
    holdings: tuple[Holding, ...]
