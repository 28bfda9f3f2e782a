"""The document of ``orderctl depth``."""

from typing import Literal

from pydantic import Field

from orderctl.output.documents import Document
from orderd.domain.errors import ErrorCode

Side = Literal["sell", "buy"]


class Offer(Document):
    """A quote for a size. ``cost_bps`` is how much worse than the mid price it is, including fees and price impact."""

    amount: str = Field(description="proceeds of selling the size, or cost of buying it, in the quote token")
    price: str = Field(description="price of one base token in the quote token")
    cost_bps: str


class Level(Document):
    """The quotes for one size on one side."""

    side: Side = Field(description="whether the base token is sold or bought")
    size: str = Field(description="amount of the base token")
    routed: Offer | None = Field(description="quote of the best route; null if there is none for this size")
    venues: dict[str, Offer | None] = Field(
        description="quote of the best single pool per venue; null if there is none"
    )
    refusal: ErrorCode | None = Field(description="why there is no route")


class Depth(Document):
    """``mid`` is the mean of the selling and the buying price of the smallest size."""

    base: str
    quote: str
    mid: str
    levels: tuple[Level, ...] = Field(description="smallest size first, one level per side")
