"""Messages about the pools that orders are routed through."""

from typing import Annotated

from pydantic import Field, StringConstraints

from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quoted import Refused
from orderd.wire.message import Message


class PoolsParams(Message):
    """Selects the pools that trade the named tokens; all pools if none is named."""

    token: tuple[Annotated[str, StringConstraints(max_length=64)], ...] = Field(
        (), max_length=2, description="one token, or both tokens of a pair"
    )


class PoolView(Message):
    """The state of a pool at ``slot``. ``token_a`` is the token that was named first."""

    address: str
    venue: VenueName
    kind: PoolKind
    token_a: str
    token_b: str
    price: str = Field(description="price of one token_a in token_b, before fees")
    fee: str = Field(description="fee of the next small swap of token_a for token_b, in percent")
    reserve_a: str = Field(description="the balance of the pool's vault of token_a")
    reserve_b: str
    slot: int


class PoolsResult(Message):
    """``refusals`` are the pools and venues that are currently excluded from routes, and why. ``slot`` is the newest
    slot of any pool."""

    pools: tuple[PoolView, ...]
    refusals: tuple[Refused, ...]
    slot: int | None
