"""Messages about prices of pairs, as candles."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from orderd.wire.message import Message, Moment, Name


class PricesParams(Message):
    """Selects candles of a pair. Prices are always in the pair's quote token, whichever token is named first."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    pair: Name = Field(description="two tokens, each a symbol or a mint address, such as SOL/USDC")
    interval: Annotated[str, StringConstraints(max_length=10)] = Field("1m", description="such as 1m, 5m, 1h or 1d")
    since: Moment | None = Field(
        None, alias="from", description="only candles that begin at or after this time, in ISO 8601"
    )
    until: Moment | None = Field(None, alias="to", description="only candles that begin before this time")
    limit: int = Field(240, ge=1, le=1_000, description="maximum number of candles; the newest are returned")


class PriceCandle(Message):
    """The mid prices of the interval that begins at ``at``, before fees and price impact."""

    at: datetime
    open: str
    high: str
    low: str
    close: str


class PricesResult(Message):
    """Oldest first. An interval in which no pool of the pair was read has no candle. Volumes are not known."""

    base: str
    quote: str
    interval: str
    candles: tuple[PriceCandle, ...]


class PricesSubscribeParams(Message):
    """The pair whose candles to follow."""

    pair: Name = Field(description="two tokens, each a symbol or a mint address, such as SOL/USDC")
    interval: Annotated[str, StringConstraints(max_length=10)] = Field("1m", description="such as 1m, 5m, 1h or 1d")


class PricesSubscribeResult(PricesResult):
    """The newest candles. Each change follows as a notification."""

    subscription: int


class CandleChange(Message):
    """A new or changed candle. It replaces the candle with the same ``at``."""

    subscription: int
    base: str
    quote: str
    interval: str
    candle: PriceCandle
