"""The document of ``orderctl depth``."""

from typing import Literal

from pydantic import Field

from orderctl.output.documents import Document
from orderd.domain.errors import ErrorCode

Side = Literal["sell", "buy"]


class Offer(Document):
    """What a size pays or costs. ``cost_bps``: how much worse than the mid price it is, fees and impact together."""

    amount: str = Field(description="in the quote token: what selling the size pays, or buying it costs")
    price: str = Field(description="of one base token in the quote token")
    cost_bps: str


class Level(Document):
    """What one size would trade for now, on one side."""

    side: Side = Field(description="what is done with the base token")
    size: str = Field(description="in the base token")
    routed: Offer | None = Field(description="over the best route; null where there is none for the size")
    venues: dict[str, Offer | None] = Field(description="the best pool of each venue alone; null where it has none")
    refusal: ErrorCode | None = Field(description="why there is no route")


class Depth(Document):
    """``mid`` is halfway between what the smallest size is sold and bought for."""

    base: str
    quote: str
    mid: str
    levels: tuple[Level, ...] = Field(description="the smallest first; each size to sell and to buy")
