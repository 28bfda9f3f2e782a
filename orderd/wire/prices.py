"""What pairs cost in the past and now, as candles."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from orderd.wire.message import Message, Moment, Name


class PricesParams(Message):
    """Candles of a pair, always in the quote token of its prices, whichever token is named first."""

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
